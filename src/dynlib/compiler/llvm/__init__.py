"""From generated text to LLVM assembly: a translator for the little Python that kernels are."""

"""The phases of the run loop: templates that `dynlib.compiler.codegen.run_loop` is read as."""

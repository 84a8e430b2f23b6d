"""Python text of models, steppers and runners."""

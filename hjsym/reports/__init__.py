"""What the command line says about a model: every figure is computed here, and checked by another road."""

"""The operator's command line. It asks; the operations function decides, by the same use cases as everything else."""

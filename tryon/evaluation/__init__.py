"""What jobs/evaluate.py measures: the networks as the product uses them, from the raw photo, against what a data set knows."""

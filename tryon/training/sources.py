"""What the shipped weights are trained on, in the words of their cards."""
CCP = ("Clothing Co-Parsing (bearpaw/clothing-co-parsing, Apache-2.0 by its repository; the photographers' own rights behind it are not "
       "verified), train split")
GARMENTS = "Clothing dataset (alexeygrigorev/clothing-dataset, CC0), train split"
TRACED = "landmarks and necklines traced by eye for this package in 399 of those photos (tryon/datasets/traced.json)"
DRAWN = "people and garments drawn by the package (tryon/sample)"

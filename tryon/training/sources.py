"""What the shipped weights are trained on, in the words of their cards."""
CCP = ("Clothing Co-Parsing (bearpaw/clothing-co-parsing, Apache-2.0 by its repository; the photographers' own rights behind it are not "
       "verified), train split")
GARMENTS = "Clothing dataset (alexeygrigorev/clothing-dataset, CC0), train split"
TRACED = "landmarks and necklines traced by eye for this package in 399 of those photos (tryon/datasets/traced.json)"
OUTLINED = "373 of those photos, of whose masks a network was unsure or wrong, outlined by eye for this package (tryon/datasets/outlined.json)"
PARSED = "parse maps put right by eye for this package of its photos that carry only tags (tryon/datasets/ccp_outlined.json)"
DRAWN = "people and garments drawn by the package (tryon/sample)"

"""Words for everything that the museum paints, in English, German, French and Dutch.

Each entry holds the noun with its article as English, German (nominative), German (dative, after
"mit"), French and Dutch say it.
"""

# ruff: noqa: E501  a table reads best with one thing a line

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """One thing with its article in four languages."""

    en: str
    de: str
    de_dative: str
    fr: str
    nl: str


LANGUAGES = ("en", "de", "fr", "nl")

_TABLE = """
man|a man|ein Mann|einem Mann|un homme|een man
woman|a woman|eine Frau|einer Frau|une femme|een vrouw
old man|an old man|ein alter Mann|einem alten Mann|un vieil homme|een oude man
old woman|an old woman|eine alte Frau|einer alten Frau|une vieille femme|een oude vrouw
turban|a turban|ein Turban|einem Turban|un turban|een tulband
hat|a wide hat|ein breiter Hut|einem breiten Hut|un grand chapeau|een brede hoed
helmet|a helmet|ein Helm|einem Helm|un casque|een helm
ruff|a ruff|eine Halskrause|einer Halskrause|une fraise|een molensteenkraag
collar|a lace collar|ein Spitzenkragen|einem Spitzenkragen|un col de dentelle|een kanten kraag
veil|a veil|ein Schleier|einem Schleier|un voile|een sluier
crown|a crown|eine Krone|einer Krone|une couronne|een kroon
beret|a beret|ein Barett|einem Barett|un béret|een baret
cap|a white cap|eine weiße Haube|einer weißen Haube|une coiffe blanche|een witte muts
feather|a feather|eine Feder|einer Feder|une plume|een veer
beard|a beard|ein Bart|einem Bart|une barbe|een baard
moustache|a moustache|ein Schnurrbart|einem Schnurrbart|une moustache|een snor
necklace|a pearl necklace|eine Perlenkette|einer Perlenkette|un collier de perles|een parelsnoer
pearl|a pearl earring|ein Perlenohrring|einem Perlenohrring|une boucle d'oreille en perle|een parel als oorbel
fan|a fan|ein Fächer|einem Fächer|un éventail|een waaier
book|a book|ein Buch|einem Buch|un livre|een boek
letter|a letter|ein Brief|einem Brief|une lettre|een brief
flower|a flower|eine Blume|einer Blume|une fleur|een bloem
skull|a skull|ein Totenschädel|einem Totenschädel|un crâne|een schedel
still life|a still life|ein Stillleben|einem Stillleben|une nature morte|een stilleven
flowers|flowers|Blumen|Blumen|des fleurs|bloemen
vase|a vase|eine Vase|einer Vase|un vase|een vaas
fruit|fruit|Früchte|Früchten|des fruits|vruchten
apple|an apple|ein Apfel|einem Apfel|une pomme|een appel
lemon|a lemon|eine Zitrone|einer Zitrone|un citron|een citroen
pear|a pear|eine Birne|einer Birne|une poire|een peer
grapes|grapes|Trauben|Trauben|du raisin|druiven
bowl|a bowl|eine Schale|einer Schale|une coupe|een schaal
jug|a jug|ein Krug|einem Krug|une cruche|een kan
bottle|a bottle|eine Flasche|einer Flasche|une bouteille|een fles
glass|a glass of wine|ein Glas Wein|einem Glas Wein|un verre de vin|een glas wijn
plate|a plate|ein Teller|einem Teller|une assiette|een bord
bread|bread|Brot|Brot|du pain|brood
cheese|cheese|Käse|Käse|du fromage|kaas
knife|a knife|ein Messer|einem Messer|un couteau|een mes
fish|fish|Fische|Fischen|des poissons|vissen
candle|a burning candle|eine brennende Kerze|einer brennenden Kerze|une bougie allumée|een brandende kaars
books|books|Bücher|Büchern|des livres|boeken
hourglass|an hourglass|ein Stundenglas|einem Stundenglas|un sablier|een zandloper
lute|a lute|eine Laute|einer Laute|un luth|een luit
pot|a copper pot|ein Kupferkessel|einem Kupferkessel|un chaudron de cuivre|een koperen ketel
onions|onions|Zwiebeln|Zwiebeln|des oignons|uien
landscape|a landscape|eine Landschaft|einer Landschaft|un paysage|een landschap
river landscape|a river landscape|eine Flusslandschaft|einer Flusslandschaft|un paysage fluvial|een rivierlandschap
mountain landscape|a mountain landscape|eine Gebirgslandschaft|einer Gebirgslandschaft|un paysage de montagne|een berglandschap
winter landscape|a winter landscape|eine Winterlandschaft|einer Winterlandschaft|un paysage d'hiver|een winterlandschap
moonlit landscape|a moonlit landscape|eine Mondscheinlandschaft|einer Mondscheinlandschaft|un paysage au clair de lune|een landschap bij maanlicht
tree|a tree|ein Baum|einem Baum|un arbre|een boom
trees|trees|Bäume|Bäumen|des arbres|bomen
poplars|poplars|Pappeln|Pappeln|des peupliers|populieren
mountain|a mountain|ein Berg|einem Berg|une montagne|een berg
mountains|mountains|Berge|Bergen|des montagnes|bergen
river|a river|ein Fluss|einem Fluss|une rivière|een rivier
road|a road|ein Weg|einem Weg|un chemin|een weg
mill|a windmill|eine Windmühle|einer Windmühle|un moulin à vent|een windmolen
bridge|a bridge|eine Brücke|einer Brücke|un pont|een brug
ruin|a ruin|eine Ruine|einer Ruine|une ruine|een ruïne
cows|cows|Kühe|Kühen|des vaches|koeien
church|a church|eine Kirche|einer Kirche|une église|een kerk
castle|a castle|eine Burg|einer Burg|un château fort|een kasteel
house|a house|ein Haus|einem Haus|une maison|een huis
houses|houses|Häuser|Häusern|des maisons|huizen
moon|the moon|der Mond|dem Mond|la lune|de maan
sun|the sun|die Sonne|der Sonne|le soleil|de zon
haystacks|haystacks|Heuhaufen|Heuhaufen|des meules de foin|hooibergen
figures|small figures|kleine Figuren|kleinen Figuren|de petites figures|kleine figuren
seascape|a seascape|ein Seestück|einem Seestück|une marine|een zeegezicht
storm|a storm at sea|ein Sturm auf See|einem Sturm auf See|une tempête en mer|een storm op zee
harbour|a harbour|ein Hafen|einem Hafen|un port|een haven
beach|a beach|ein Strand|einem Strand|une plage|een strand
ship|a sailing ship|ein Segelschiff|einem Segelschiff|un voilier|een zeilschip
ships|sailing ships|Segelschiffe|Segelschiffen|des voiliers|zeilschepen
boat|a boat|ein Boot|einem Boot|une barque|een boot
boats|boats|Boote|Booten|des barques|boten
lighthouse|a lighthouse|ein Leuchtturm|einem Leuchtturm|un phare|een vuurtoren
rocks|rocks|Felsen|Felsen|des rochers|rotsen
wave|a great wave|eine große Welle|einer großen Welle|une grande vague|een grote golf
crucifixion|the Crucifixion of Christ|die Kreuzigung Christi|der Kreuzigung Christi|la Crucifixion du Christ|de kruisiging van Christus
annunciation|the Annunciation to Mary|die Verkündigung an Maria|der Verkündigung an Maria|l'Annonciation à Marie|de annunciatie aan Maria
sebastian|the martyrdom of Saint Sebastian|das Martyrium des heiligen Sebastian|dem Martyrium des heiligen Sebastian|le martyre de saint Sébastien|het martelaarschap van de heilige Sebastiaan
madonna|the Madonna and Child|die Madonna mit dem Kind|der Madonna mit dem Kind|la Vierge à l'Enfant|de Madonna met kind
jerome|Saint Jerome in the wilderness|der heilige Hieronymus in der Wüste|dem heiligen Hieronymus in der Wüste|saint Jérôme au désert|de heilige Hiëronymus in de woestijn
horseman|a rider on horseback|ein Reiter zu Pferde|einem Reiter zu Pferde|un cavalier à cheval|een ruiter te paard
battle|a battle|eine Schlacht|einer Schlacht|une bataille|een veldslag
dance|a dance|ein Tanz|einem Tanz|une danse|een dans
feast|a feast|ein Festmahl|einem Festmahl|un festin|een feestmaal
reading|a woman reading|eine lesende Frau|einer lesenden Frau|une femme lisant|een lezende vrouw
cross|a cross|ein Kreuz|einem Kreuz|une croix|een kruis
angel|an angel|ein Engel|einem Engel|un ange|een engel
child|a child|ein Kind|einem Kind|un enfant|een kind
lily|a lily|eine Lilie|einer Lilie|un lys|een lelie
dove|a dove|eine Taube|einer Taube|une colombe|een duif
arrows|arrows|Pfeile|Pfeilen|des flèches|pijlen
lion|a lion|ein Löwe|einem Löwen|un lion|een leeuw
horse|a horse|ein Pferd|einem Pferd|un cheval|een paard
horses|horses|Pferde|Pferden|des chevaux|paarden
dog|a dog|ein Hund|einem Hund|un chien|een hond
lance|a lance|eine Lanze|einer Lanze|une lance|een lans
lances|lances|Lanzen|Lanzen|des lances|lansen
flag|a flag|eine Fahne|einer Fahne|un drapeau|een vlag
table|a table|ein Tisch|einem Tisch|une table|een tafel
throne|a throne|ein Thron|einem Thron|un trône|een troon
window|a window|ein Fenster|einem Fenster|une fenêtre|een raam
dancers|dancers|Tänzer|Tänzern|des danseurs|dansers
column|a column|eine Säule|einer Säule|une colonne|een zuil
abstract|an abstract composition|eine abstrakte Komposition|einer abstrakten Komposition|une composition abstraite|een abstracte compositie
grid|a black grid|ein schwarzes Raster|einem schwarzen Raster|une grille noire|een zwart raster
rectangles|rectangles|Rechtecke|Rechtecken|des rectangles|rechthoeken
circles|circles|Kreise|Kreisen|des cercles|cirkels
triangle|a triangle|ein Dreieck|einem Dreieck|un triangle|een driehoek
bars|bars|Balken|Balken|des barres|balken
stripes|stripes|Streifen|Streifen|des bandes|strepen
arcs|arcs|Bögen|Bögen|des arcs|bogen
"""

LEXICON: dict[str, Words] = {
    key: Words(*words) for key, *words in (line.split("|") for line in _TABLE.strip().splitlines())
}

FORM_WORDS: dict[str, Words] = {
    key: Words(*words)
    for key, *words in (
        line.split("|")
        for line in """
oil|oil painting|Ölgemälde|Ölgemälde|peinture à l'huile|olieverfschilderij
tempera|tempera on panel|Tempera auf Holz|Tempera auf Holz|tempera sur bois|tempera op paneel
grisaille|grisaille|Grisaille|Grisaille|grisaille|grisaille
pastel|pastel|Pastell|Pastell|pastel|pastel
watercolour|watercolour|Aquarell|Aquarell|aquarelle|aquarel
chalk|chalk drawing|Kreidezeichnung|Kreidezeichnung|dessin à la craie|krijttekening
wash|pen and wash drawing|lavierte Federzeichnung|lavierte Federzeichnung|dessin à la plume et au lavis|gewassen pentekening
engraving|engraving|Kupferstich|Kupferstich|gravure au burin|gravure
etching|etching|Radierung|Radierung|eau-forte|ets
woodcut|woodcut|Holzschnitt|Holzschnitt|gravure sur bois|houtsnede
colour woodcut|colour woodcut|Farbholzschnitt|Farbholzschnitt|gravure sur bois en couleurs|kleurenhoutsnede
screenprint|screenprint|Siebdruck|Siebdruck|sérigraphie|zeefdruk
""".strip().splitlines()
    )
}

SCHOOL_WORDS: dict[str, Words] = {
    key: Words(*words)
    for key, *words in (
        line.split("|")
        for line in """
Dutch|Dutch school|holländische Schule|holländischer Schule|école hollandaise|Hollandse school
Venetian|Venetian school|venezianische Schule|venezianischer Schule|école vénitienne|Venetiaanse school
Spanish|Spanish school|spanische Schule|spanischer Schule|école espagnole|Spaanse school
Early Netherlandish|Early Netherlandish school|altniederländische Schule|altniederländischer Schule|école des primitifs flamands|Vlaamse primitieven
Sienese|Sienese school|sienesische Schule|sienesischer Schule|école siennoise|Sienese school
German|German school|deutsche Schule|deutscher Schule|école allemande|Duitse school
French|French school|französische Schule|französischer Schule|école française|Franse school
British|British school|britische Schule|britischer Schule|école britannique|Britse school
Japanese|Japanese school|japanische Schule|japanischer Schule|école japonaise|Japanse school
Expressionist|Expressionist school|expressionistische Schule|expressionistischer Schule|école expressionniste|expressionistische school
Constructivist|Constructivist school|konstruktivistische Schule|konstruktivistischer Schule|école constructiviste|constructivistische school
""".strip().splitlines()
    )
}

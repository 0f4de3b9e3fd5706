"""Other words for what the museum paints, besides those of the lexicon, in four languages.

A line is an atom, then the words of English, German, French and Dutch; the first of each is the
plain name. Things and subjects that stand in the lexicon are named there; here are their synonyms.
"""

# ruff: noqa: E501  a table reads best with one thing a line

from __future__ import annotations

from bilderatlas.museum.lexicon import LANGUAGES

_TABLE = """
thing:old man|an elderly man|ein Greis|un vieillard|een grijsaard
thing:old woman|an elderly woman|eine Greisin|une vieille|een oude dame
thing:woman|a lady|eine Dame|une dame|een dame
thing:man|a gentleman|ein Herr|un monsieur|een heer
thing:hat|a hat;a broad-brimmed hat|ein Hut|un chapeau|een hoed
thing:ruff|a millstone collar|ein Mühlsteinkragen|une collerette|een plooikraag
thing:collar|lace|Spitze|de la dentelle|kant
thing:cap|a bonnet;a cap|eine Haube|une coiffe;un bonnet|een muts;een kap
thing:moustache|a mustache|ein Schnauzbart|des moustaches|een moustache
thing:necklace|pearls;a necklace|eine Halskette;Perlen|un collier;des perles|een halssnoer;parels
thing:pearl|an earring|ein Ohrring|une boucle d'oreille|een oorbel
thing:letter|a folded letter|ein Schreiben|un billet|een brief
thing:skull|a death's head;a human skull|ein Schädel;ein Totenkopf|une tête de mort|een doodshoofd
thing:flowers|a bouquet;blossoms|ein Blumenstrauß;Blüten|un bouquet;fleurs|een boeket;een bos bloemen
thing:fruit|fruits|Obst|fruits;un fruit|fruit
thing:grapes|a bunch of grapes|Weintrauben|une grappe de raisin|een druiventros
thing:bowl|a dish|eine Schüssel|un bol|een kom
thing:jug|a pitcher|eine Kanne|un pichet|een kruik
thing:glass|a wine glass;a glass|ein Weinglas;ein Glas|un verre à vin;un verre|een wijnglas;een glas
thing:bread|a loaf of bread|ein Brotlaib|une miche de pain|een brood
thing:fish|fishes|Fisch|poissons|vis
thing:candle|a candle;candlelight|eine Kerze;Kerzenlicht|une bougie;une chandelle|een kaars;kaarslicht
thing:hourglass|a sandglass|eine Sanduhr|un sablier|een uurglas
thing:pot|a kettle;a copper kettle|ein Kessel;ein Topf|un chaudron|een ketel;een pot
genre:landscape|scenery;countryside|eine Landschaftsdarstellung|un paysage champêtre|een landschapsvoorstelling
thing:winter landscape|a winter scene;snow|eine Winterszene;Schnee|une scène d'hiver;la neige|een wintergezicht;sneeuw
thing:moonlit landscape|a moonlit night;a nocturne|eine Mondnacht|un clair de lune;un nocturne|een maannacht;maanlicht
thing:river landscape|a river view|eine Flussansicht|une vue de rivière|een riviergezicht
thing:mountain landscape|a mountain view;alpine landscape|eine Berglandschaft|un paysage montagneux|een bergachtig landschap
thing:trees|woods|Wald|un bois|geboomte
thing:poplars|a row of poplars|eine Pappelreihe|une rangée de peupliers|een rij populieren
thing:river|a stream|ein Strom|un fleuve|een stroom
thing:road|a path;a country road|ein Pfad;eine Straße|une route|een pad
thing:mill|a mill|eine Mühle|un moulin|een molen
thing:ruin|ruins|Ruinen|des ruines|ruïnes
thing:cows|cattle|Rinder;Vieh|du bétail|vee;runderen
thing:church|a church tower|ein Kirchturm|un clocher|een kerktoren
thing:castle|a fortress|ein Schloss|un château|een burcht
thing:houses|a village|ein Dorf|un village|een dorp
thing:haystacks|stacks of hay|Heuschober|des meules|hooischelven
thing:figures|people;tiny figures|Staffagefiguren;Leute|des personnages|figuren;mensen
genre:seascape|a marine;a sea piece;the sea|ein Marinebild;das Meer|la mer|een zeestuk;de zee
thing:storm|a stormy sea;a storm|ein Seesturm;stürmische See|une mer agitée;une tempête|een stormachtige zee;een storm
thing:harbour|a port;a harbor|ein Hafenbild|un port de mer|een havengezicht
thing:beach|the shore|eine Küste|un rivage|een kust
thing:ship|a ship;a sailing vessel|ein Schiff;ein Segler|un navire;un bateau à voiles|een schip;een zeiler
thing:ships|ships|Schiffe|des navires;des bateaux|schepen
thing:boat|a rowing boat|ein Ruderboot;ein Kahn|un canot;une barque de pêche|een roeiboot
thing:boats|fishing boats|Fischerboote;Kähne|des bateaux de pêche|vissersboten
thing:wave|a wave|eine Welle;Woge|une vague|een golf
thing:crucifixion|the Crucifixion;Christ on the cross|die Kreuzigung;Christus am Kreuz|la Crucifixion;le Christ en croix|de kruisiging;Christus aan het kruis
thing:annunciation|the Annunciation|die Verkündigung;Mariä Verkündigung|l'Annonciation|de annunciatie;de aankondiging
thing:sebastian|Saint Sebastian;St Sebastian|der heilige Sebastian;Sankt Sebastian|saint Sébastien|de heilige Sebastiaan;Sint-Sebastiaan
thing:madonna|the Virgin and Child;a Madonna;Mary with the Child|Maria mit dem Kind;eine Madonna|une Madone;Marie et l'enfant Jésus|Maria met kind;een Madonna
thing:jerome|Saint Jerome;St Jerome|der heilige Hieronymus|saint Jérôme|de heilige Hiëronymus
thing:horseman|a rider;a horseman|ein Reiter|un cavalier|een ruiter
thing:battle|a combat;fighting|ein Gefecht;Kampf|un combat|een gevecht
thing:dance|dancing|Tanzende|des gens qui dansent|dansende mensen
thing:feast|a banquet;a meal|ein Bankett;ein Gelage|un banquet|een banket;een maaltijd
thing:reading|a reading woman|eine Leserin|une liseuse|een lezeres
thing:cross|a crucifix|ein Kruzifix|un crucifix|een kruisbeeld
thing:child|an infant|ein Kleinkind|un bébé|een kindje
thing:lily|a white lily|eine weiße Lilie|une fleur de lys|een witte lelie
thing:flag|a banner|ein Banner|un étendard|een vaandel
thing:horse|a steed|ein Ross|une monture|een ros
thing:column|a pillar|ein Pfeiler|un pilier|een pilaar
thing:grid|a grid|ein Raster;ein Gitter|une grille|een raster
genre:abstract|abstract art;geometric composition|abstrakte Kunst;geometrische Komposition|art abstrait;composition géométrique|abstracte kunst;geometrische compositie
genre:still life|still-life|ein Stilleben|une nature-morte|een stilleven met voorwerpen
genre:portrait|a portrait;a likeness|ein Porträt;ein Bildnis|un portrait;une effigie|een portret;een beeltenis
genre:history|a history painting;a biblical scene;a historical scene|ein Historienbild;eine Historie;eine biblische Szene|une scène d'histoire;une scène biblique|een historiestuk;een bijbelse voorstelling
genre:genre scene|a genre scene;everyday life|eine Genreszene;ein Genrebild|une scène de genre;la vie quotidienne|een genretafereel;een genrestuk
type:painting|painting;a painting|Gemälde;Malerei|tableau;peinture|schilderij;schilderkunst
type:drawing|drawing;a drawing;works on paper|Zeichnung;Handzeichnung|dessin|tekening
type:print|print;a print;printmaking|Druckgrafik;Druckgraphik;ein Druck|estampe;gravure imprimée|prent;prentkunst
form:oil|oil on canvas;oils|Öl auf Leinwand;Öl|huile sur toile;huile|olieverf op doek;olieverf
form:tempera|tempera|Tempera|tempera;détrempe|tempera
form:grisaille|monochrome painting|Graumalerei|peinture en camaïeu gris|grauwschildering
form:pastel|pastel drawing|Pastellbild|dessin au pastel|pasteltekening
form:watercolour|watercolor;a watercolour|Aquarellmalerei;ein Aquarell|une aquarelle|waterverf;waterverftekening
form:chalk|chalk;black chalk|Kreide|craie;pierre noire|krijt
form:wash|pen drawing;ink wash|Federzeichnung;Tuschzeichnung|lavis;dessin à la plume|pentekening
form:engraving|copper engraving;an engraving|Stich;ein Kupferstich|gravure sur cuivre;burin|kopergravure
form:etching|an etching|eine Radierung;Ätzradierung|gravure à l'eau-forte|een ets
form:woodcut|a woodcut|ein Holzschnitt|xylographie|een houtsnede
form:colour woodcut|color woodblock print;Japanese woodblock print|japanischer Holzschnitt|estampe japonaise|Japanse houtsnede
form:screenprint|silkscreen;serigraph|Serigrafie|une sérigraphie|serigrafie
school:Dutch|Dutch;Holland|holländisch;niederländisch|hollandais;Hollande|Hollands;Holland
school:Venetian|Venetian;Venice|venezianisch;Venedig|vénitien;Venise|Venetiaans;Venetië
school:Spanish|Spanish;Spain|spanisch;Spanien|espagnol;Espagne|Spaans;Spanje
school:Early Netherlandish|Early Netherlandish;Flemish Primitives;Bruges|altniederländisch;Brügge|primitifs flamands;Bruges|Oudnederlands;Brugge
school:Sienese|Sienese;Siena|sienesisch;Siena|siennois;Sienne|Sienees;Siena
school:German|German;Germany|deutsch;Deutschland|allemand;Allemagne|Duits;Duitsland
school:French|French;France|französisch;Frankreich|français;France|Frans;Frankrijk
school:British|British;Britain|britisch;Großbritannien|britannique;Grande-Bretagne|Brits;Groot-Brittannië
school:Japanese|Japanese;Japan|japanisch;Japan|japonais;Japon|Japans;Japan
school:Expressionist|Expressionist|expressionistisch|expressionniste|expressionistisch
school:Constructivist|Constructivist;Constructivism|konstruktivistisch;Konstruktivismus|constructiviste;constructivisme|constructivistisch;constructivisme
style:Baroque|Baroque|Barock|baroque|barok
style:Renaissance|Renaissance|Renaissance|Renaissance|renaissance
style:Tenebrism|Tenebrism;chiaroscuro|Tenebrismus;Helldunkel|ténébrisme;clair-obscur|tenebrisme;clair-obscur
style:Late Gothic|Late Gothic|Spätgotik;spätgotisch|gothique tardif|late gotiek;laatgotisch
style:Gothic|Gothic|Gotik;gotisch|gothique|gotiek;gotisch
style:Impressionism|Impressionism;Impressionist|Impressionismus;impressionistisch|impressionnisme;impressionniste|impressionisme;impressionistisch
style:Romanticism|Romanticism;Romantic|Romantik;romantisch|romantisme;romantique|romantiek;romantisch
style:Ukiyo-e|Ukiyo-e|Ukiyo-e|ukiyo-e|ukiyo-e
style:Expressionism|Expressionism|Expressionismus|expressionnisme|expressionisme
style:Abstraction|Abstraction;geometric abstraction|Abstraktion;geometrische Abstraktion|abstraction;abstraction géométrique|abstractie;geometrische abstractie
colour:red|red|rot|rouge|rood
colour:yellow|yellow|gelb|jaune|geel
colour:green|green|grün|vert|groen
colour:blue|blue|blau|bleu|blauw
colour:brown|brown|braun|brun|bruin
colour:grey|grey;gray|grau|gris|grijs
colour:black|black|schwarz|noir|zwart
colour:white|white|weiß|blanc|wit
"""

SYNONYMS: dict[str, dict[str, tuple[str, ...]]] = {
    atom: dict(zip(LANGUAGES, (tuple(cell.split(";")) for cell in cells), strict=True))
    for atom, *cells in (line.split("|") for line in _TABLE.strip().splitlines())
}

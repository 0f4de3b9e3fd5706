"""The words of dates in English, German, French and Dutch, each with its meaning.

Words stand here without accents and in lower case, as `dates` compares them: `Hälfte` is
`halfte`, `siècle` is `siecle`.
"""

from __future__ import annotations

from enum import Enum, auto


class Sense(Enum):
    """What a word or a number contributes to a date."""

    YEAR = auto()  # value: the number; settled only when the era is known
    SMALL = auto()  # value: a number below 100, a day or the short end of a range
    ORDINAL = auto()  # value: 19 of `19th`, `19.` or `XIXe`
    CENTURY = auto()  # the word itself; after settling: value = which one
    MILLENNIUM = auto()
    DECADE = auto()  # value: its first year
    SHORT_DECADE = auto()  # value: 30 of `1920s-30s`
    YEARS_OF = auto()  # `années`: the number that follows names a decade
    PART = auto()  # value: (first, last) year within a century
    HALF = auto()
    THIRD = auto()
    QUARTER = auto()
    LAST = auto()
    CIRCA = auto()
    BEFORE = auto()
    AFTER = auto()
    OR_LATER = auto()
    OR_EARLIER = auto()
    TO = auto()
    DASH = auto()
    UNTIL = auto()  # `bis`: a range after a date, `before` without one
    EITHER = auto()  # and, or
    BCE = auto()
    CE = auto()
    PERIOD = auto()  # `dynasty`: the clause bounds what else is said
    LATER_LIFE = auto()  # `printed`: what happened to the work afterwards
    BREAK = auto()  # comma, semicolon, bracket
    OTHER = auto()


def _spread(senses: dict[Sense, str]) -> dict[tuple[str, ...], Sense]:
    return {
        tuple(phrase.split()): sense
        for sense, phrases in senses.items()
        for phrase in phrases.split(",")
    }


PHRASES: dict[tuple[str, ...], Sense] = _spread(
    {
        Sense.CENTURY: "century,centuries,cent,jahrhundert,jahrhunderts,jahrhunderte,jahrhunderten,"
        "jh,jhs,jhd,jhdt,jhdts,jhdte,siecle,siecles,eeuw,eeuws,eeuwse,eeuwen,th c",
        Sense.MILLENNIUM: "millennium,millennia,millenium,jahrtausend,jahrtausends,jt,millenaire,"
        "mill",
        Sense.YEARS_OF: "annees,annee,jaren,jahre,jahren,years,die jahre,les annees,de jaren",
        Sense.HALF: "half,halves,halfte,halfe,moitie,helft",
        Sense.THIRD: "drittel,tiers,derde deel",
        Sense.QUARTER: "quarter,quarters,viertel,quart,kwart",
        Sense.LAST: "last,final,letzte,letztes,letzter,letzten,dernier,derniere,laatste",
        Sense.CIRCA: "ca,circa,cca,about,around,approximately,approx,roughly,near,um,etwa,"
        "ungefahr,gegen,vers,environ,env,autour de,aux environs de,omstreeks,ongeveer,rond,~,±",
        Sense.BEFORE: "before,pre,prior to,not after,no later than,not later than,at latest,ante,"
        "terminus ante quem,on or before,in or before,vor,nicht nach,spatestens,vor oder um,"
        "avant,au plus tard,avant ou en,pas apres,voor,uiterlijk,niet na,in of voor",
        Sense.AFTER: "after,since,not before,no earlier than,not earlier than,post,"
        "terminus post quem,on or after,in or after,nach,seit,ab,nicht vor,fruhestens,"
        "apres,depuis,au plus tot,pas avant,na,sinds,vanaf,niet voor,in of na,or after",
        Sense.OR_LATER: "or later,and later,or after that,oder spater,und spater,ou plus tard,"
        "ou apres,of later,en later,onwards,onward,ff",
        Sense.OR_EARLIER: "or earlier,and earlier,or before,oder fruher,ou plus tot,ou avant,"
        "of eerder,of vroeger",
        Sense.TO: "to,through,thru,a,au,jusqu a,t m",
        Sense.UNTIL: "until,till,by,up to,bis,jusqu en,jusque,tot,tot en met",
        Sense.EITHER: "and,or,und,oder,et,ou,en,of,/,&,resp,bzw",
        Sense.DASH: "-",
        Sense.BCE: "bc,bce,b c,b c e,v chr,v christus,vor christus,vor chr,v u z,"
        "av jc,avant jc,avant jesus christ,avant notre ere,av n e,voor christus,voor chr",
        Sense.CE: "ad,ce,c e,a d,n chr,nach christus,nach chr,n u z,ap jc,apres jc,"
        "apres jesus christ,de notre ere,na christus,na chr,anno domini",
        Sense.PERIOD: "period,dynasty,reign,era,epoch,zeit,periode,dynastie,regne,tijd,epoche",
        Sense.LATER_LIFE: "printed,reprinted,cast,recast,published,exhibited,restored,reworked,"
        "reproduced,reconstructed,remade,acquired,annotated,reissued,"
        "gedruckt,gegossen,veroffentlicht,ausgestellt,restauriert,abzug,guss,"
        "imprime,tire,tirage,fonte,coule,publie,expose,restaure,"
        "gedrukt,afgedrukt,gegoten,gepubliceerd,uitgegeven,tentoongesteld,gerestaureerd",
    }
)
"""Words and phrases of up to three words → what they mean; the longest match wins."""

EARLY, MIDDLE, LATE = (0, 30), (35, 65), (70, 99)
BEGINNING, END, TURN = (0, 15), (85, 99), (-10, 10)

PART_WORDS: dict[str, tuple[int, int]] = {
    word: share
    for share, words in (
        (EARLY, "early fruh fruhe fruhes fruher fruhen vroeg vroege"),
        (MIDDLE, "mid middle mitte mittleres milieu midden medio halverwege"),
        (LATE, "late later spat spate spates spater spaten tardif laat late"),
        (BEGINNING, "beginning begin start anfang beginn debut aanvang"),
        (END, "end ende schluss fin eind einde"),
        (TURN, "turn wende tournant"),
    )
    for word in words.split()
}
"""Words for a part of a century → its first and last year, counted from the century's first."""

_ORDINAL_STEMS: tuple[tuple[int, str], ...] = (
    (1, "first erste erstes ersten erster premier premiere eerste"),
    (2, "second zweite zweites zweiten zweiter deuxieme seconde tweede"),
    (3, "third dritte drittes dritten dritter troisieme derde"),
    (4, "fourth vierte viertes vierten vierter quatrieme vierde"),
    (5, "fifth funfte funftes funften cinquieme vijfde"),
    (6, "sixth sechste sechstes sechsten sixieme zesde"),
    (7, "seventh siebte siebtes siebten siebente septieme zevende"),
    (8, "eighth achte achtes achten huitieme achtste"),
    (9, "ninth neunte neuntes neunten neuvieme negende"),
    (10, "tenth zehnte zehntes zehnten dixieme tiende"),
    (11, "eleventh elfte elftes elften onzieme elfde"),
    (12, "twelfth zwolfte zwolftes zwolften douzieme twaalfde"),
    (13, "thirteenth dreizehnte dreizehntes dreizehnten treizieme dertiende"),
    (14, "fourteenth vierzehnte vierzehntes vierzehnten quatorzieme veertiende"),
    (15, "fifteenth funfzehnte funfzehntes funfzehnten quinzieme vijftiende"),
    (16, "sixteenth sechzehnte sechzehntes sechzehnten seizieme zestiende"),
    (17, "seventeenth siebzehnte siebzehntes siebzehnten dixseptieme zeventiende"),
    (18, "eighteenth achtzehnte achtzehntes achtzehnten dixhuitieme achttiende"),
    (19, "nineteenth neunzehnte neunzehntes neunzehnten dixneuvieme negentiende"),
    (20, "twentieth zwanzigste zwanzigstes zwanzigsten vingtieme twintigste"),
)
ORDINAL_WORDS: dict[str, int] = {
    word: number for number, words in _ORDINAL_STEMS for word in words.split()
}

_UNDATED_WORDS = (
    "nd nodate undated notdated datenotknown dateunknown unknown unknowndate withoutdate "
    "oj od ohnejahr ohnedatum undatiert unbekannt datumunbekannt "
    "sd sa sansdate nondate datee dateinconnue inconnu inconnue indetermine "
    "zj zd zonderjaar zonderdatum ongedateerd onbekend datumonbekend na none null nan notknown "
    "undetermined unspecified"
)
UNDATED = frozenset(_UNDATED_WORDS.split())
"""Texts that say in so many letters that there is no date (spaces and points removed)."""

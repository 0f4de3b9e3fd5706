"""Dates as museums write them."""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bilderatlas.sources.dates import MAX_DATE_CHARS, parse_dates, says_undated

GOLDEN = """
1860 = 1860 1860
c. 1860 = 1855 1865
c.1860 = 1855 1865
ca. 1700 = 1695 1705
ca 1700 = 1695 1705
circa 1809–11 = 1804 1816
about 1650 = 1645 1655
approximately 1650 = 1645 1655
~1650 = 1645 1655
um 1500 = 1495 1505
etwa 1500 = 1495 1505
vers 1640 = 1635 1645
environ 1640 = 1635 1645
omstreeks 1640 = 1635 1645
ongeveer 1640 = 1635 1645
c. 1925-1940 = 1920 1945
c.1813–24 = 1808 1829
c. 1914 - 1916 = 1909 1921
1640-c. 1650 = 1640 1655
1798 - ca. 1802 = 1798 1807
?c.1785 = 1780 1790
?1863 = 1863 1863
1954? = 1954 1954
1762–1787 = 1762 1787
1762-1787 = 1762 1787
1762—1787 = 1762 1787
1762-87 = 1762 1787
1843–4 = 1843 1844
1599-1600 = 1599 1600
1650-1600 = 1600 1650
1989/90 = 1989 1990
1600/1605 = 1600 1605
1786 or 1800 = 1786 1800
1831 and 1834 = 1831 1834
1831 & 1834 = 1831 1834
1831 und 1834 = 1831 1834
1831 ou 1834 = 1831 1834
1831 of 1834 = 1831 1834
1916 or 17 = 1916 1917
between 1600 and 1650 = 1600 1650
zwischen 1600 und 1605 = 1600 1605
entre 1600 et 1650 = 1600 1650
tussen 1600 en 1650 = 1600 1650
from 1600 to 1650 = 1600 1650
von 1600 bis 1650 = 1600 1650
de 1600 à 1650 = 1600 1650
van 1600 tot 1650 = 1600 1650
1880s = 1880 1889
1880s? = 1880 1889
1880's = 1880 1889
c. 1920s = 1915 1934
1880s-1890s = 1880 1899
1920s-30s = 1920 1939
early 1860s = 1860 1864
late 1870s = 1875 1879
mid-1920s = 1923 1926
1880er Jahre = 1880 1889
1880er = 1880 1889
années 1880 = 1880 1889
jaren 1880 = 1880 1889
1700s = 1700 1799
late 1700s = 1770 1799
early 1900s = 1900 1930
19th century = 1800 1899
19th c. = 1800 1899
late 19th C = 1870 1899
nineteenth century = 1800 1899
late 15th century = 1470 1499
early 20th century = 1900 1930
mid-17th century = 1635 1665
mid 17th century = 1635 1665
17th-19th century = 1600 1899
17th - 19th century = 1600 1899
late 18th-early 19th century = 1770 1830
c. second half of the 19th century-early 20th century = 1850 1930
mid- to late-19th century = 1835 1899
2nd half of the 19th century = 1850 1899
first half of the 18th century = 1700 1749
last quarter of the 16th century = 1575 1599
third quarter of the 18th century = 1750 1774
second third of the 17th century = 1634 1666
turn of the 20th century = 1890 1910
18. Jh. = 1700 1799
18. Jahrhundert = 1700 1799
17. Jhd. = 1600 1699
1. Hälfte 17. Jahrhundert = 1600 1649
2. Hälfte des 17. Jahrhunderts = 1650 1699
erste Hälfte 17. Jh. = 1600 1649
2. Viertel 15. Jh. = 1425 1449
viertes Viertel 16. Jahrhundert = 1575 1599
letztes Drittel 18. Jh. = 1767 1799
Anfang 16. Jh. = 1500 1515
Mitte 19. Jh. = 1835 1865
Ende 15. Jahrhundert = 1485 1499
frühes 16. Jahrhundert = 1500 1530
spätes 14. Jh. = 1370 1399
16./17. Jh. = 1500 1699
Ende 15. / Anfang 16. Jh. = 1485 1515
XVIIe siècle = 1600 1699
XVIIème siècle = 1600 1699
17e siècle = 1600 1699
dix-neuvième = None
début du XVe = 1400 1415
début XXe siècle = 1900 1915
milieu du XIXe siècle = 1835 1865
fin du XVIIIe siècle = 1785 1799
seconde moitié du XVIIe siècle = 1650 1699
1er quart du XVIe siècle = 1500 1524
XVIe-XVIIe siècle = 1500 1699
XVe s. = 1400 1499
begin 16e eeuw = 1500 1515
eerste helft 17e eeuw = 1600 1649
17de eeuw = 1600 1699
eind 18e eeuw = 1785 1799
laatste kwart 19e eeuw = 1875 1899
zeventiende eeuw = 1600 1699
before 1520 = 1495 1520
by 1520 = 1495 1520
no later than 1520 = 1495 1520
1922 or earlier = 1897 1922
vor 1520 = 1495 1520
bis 1520 = 1495 1520
avant 1700 = 1675 1700
voor 1700 = 1675 1700
after 1600 = 1600 1625
not before 1600 = 1600 1625
no earlier than 1906 = 1906 1931
1916 or later = 1916 1941
nach 1600 = 1600 1625
seit 1600 = 1600 1625
après 1700 = 1700 1725
na 1700 = 1700 1725
after 1600, before 1620 = 1600 1620
500 BC = -500 -500
500-450 BC = -500 -450
c. 500 BCE = -505 -495
4th century BCE = -400 -301
late 4th century BC = -330 -301
206 BCE-220 CE = -206 220
100 BC-AD 50 = -100 50
AD 79 = 79 79
1st century AD = 1 99
1. Jh. n. Chr. = 1 99
3. Jh. v. Chr. = -300 -201
um 500 v. Chr. = -505 -495
IVe siècle av. J.-C. = -400 -301
3rd millennium BC = -3000 -2001
-500 = -500 -500
618-907 = 618 907
Tang Dynasty, 618-907 = 618 907
Qianlong period (1736-1795) = 1736 1795
Edo period (1603-1867), 19th century = 1800 1867
Edo period (1603-1867), c. 1790-1830 = 1785 1835
dated 1632 = 1632 1632
signed and dated 1632 = 1632 1632
MDCXL = 1640 1640
MDCXL? = 1640 1640
March 6, 1880 = 1880 1880
22 März 1871 = 1871 1871
25.12.1798 = 1798 1798
6/27/1930 = 1930 1930
8/1959 = 1959 1959
1855-01-01 = 1855 1855
1855-01 = 1855 1855
1901-02 = 1901 1902
1855-01-01T00:00:00Z = 1855 1855
June 19-20, 1964 = 1964 1964
December 1938 - January 1939 = 1938 1939
1889, printed 1904 = 1889 1889
1889 (printed 1904) = 1889 1889
published 1858–60 = 1858 1860
first published 1830, reprinted 1993 = 1830 1830
1891, cast 1925 = 1891 1891
1995–6, 2007 = 1995 2007
designed 1960, manufactured 1999 = 1960 1999
n.d. (c. 1900) = 1895 1905
n.d. = None
o. J. = None
s.d. = None
z.j. = None
undated = None
date not known = None
unbekannt = None
Louvre = None
Meiji period = None
99999 = None
185- = 1850 1859
[185-?] = 1850 1859
185-? = 1850 1859
c. 185- = 1845 1864
190- = 1900 1909
187- or 188- = 1870 1889
187--188- = 1870 1889
after 187- = 1879 1904
156u = 1560 1569
185-190 = 185 190
185? = None
19-- = 1900 1999
[18--?] = 1800 1899
late 19-- = 1970 1999
18xx = 1800 1899
18-? = None
18[60] = 1860 1860
186[0] = 1860 1860
1,860 = 1860 1860
1.860 = 1860 1860
1 860 = 1860 1860
1'860 = 1860 1860
1,860-1,870 = 1860 1870
10.000 BC = -10000 -10000
2,500-1,500 BC = -2500 -1500
450.000 BP = None
1860/61 = 1860 1861
1860-1 = 1860 1861
12.3.1860 = 1860 1860
1860.05.12 = 1860 1860
1860. = 1860 1860
MDCCC = 1800 1800
c1860 = 1855 1865
pre-1900 = 1875 1900
Jan-1860 = 1860 1860
v1860 = None
1860W = None
no. 1860 = None
Inv.-Nr. 1234 = None
inv. no. 1234 = None
SK-A-1718 = None
1985.123 = None
1952.345.2 = None
+49 221 1234 = None
020 7887 8888 = None
20 x 1500 cm = None
£1500 = None
2000 (edition of 250) = 2000 2000
1250 AH / AD 1834 = 1834 1834
12 x 14 = None
"""


def golden() -> Iterator[tuple[str, tuple[int, int] | None]]:
    for line in GOLDEN.strip().splitlines():
        text, _, years = line.rpartition(" = ")
        numbers = [int(number) for number in re.findall(r"-?\d+", years)]
        yield text, (numbers[0], numbers[1]) if numbers else None


@pytest.mark.parametrize(("text", "years"), list(golden()), ids=[text for text, _ in golden()])
def test_golden_dates(text: str, years: tuple[int, int] | None) -> None:
    assert parse_dates(text) == years


def test_the_golden_table_is_large() -> None:
    assert len(list(golden())) >= 150


@given(st.text(max_size=200))
def test_any_text_gives_an_interval_or_nothing(text: str) -> None:
    years = parse_dates(text)
    assert years is None or (years[0] <= years[1] and 0 not in years)
    says_undated(text)


_MIXTURE = (
    "c. um vers before after bis - – / , ( ) ? 18. 19th XVIIe siècle century Jh. half Hälfte first "
    "second quarter late early 1650 1699 87 5 BC AD v. Chr. or later 1880s 30s printed period "
    "années to MDCXL mid 3rd 0 00 000 2100 c s . -500"
)


@given(st.lists(st.sampled_from(_MIXTURE.split()), max_size=30), st.sampled_from(["", " "]))
def test_any_mixture_of_date_words_gives_an_interval_or_nothing(
    words: list[str], glue: str
) -> None:
    years = parse_dates(glue.join(words))
    assert years is None or (years[0] <= years[1] and 0 not in years)


def spelled(text: str) -> set[int]:
    """Return the years that digits and signs may stand for, read with no knowledge of dates."""
    joined = re.sub(r"(?<=[0-9])[.,' \[\]]+(?=[0-9])", "", text)
    whole = {int(n) for n in re.findall("[0-9]+", f"{text} {joined}")}
    for year, end in re.findall(r"([0-9]{3,5})(?=[^0-9]+([0-9]{1,2})(?![0-9]))", text):
        whole.add(int(year[: -len(end)] + end))
    for run in re.findall(r"\[?[0-9][0-9., '\[\]]*[0-9]\]?", text):
        whole.add(int(re.sub("[^0-9]", "", run)))
    for first in re.findall(r"(?<![0-9])[0-9]{2,3}(?=[-.?])", text):  # `185-`, `18--`
        size = 10 ** (4 - len(first))
        whole |= {int(first) * size, int(first) * size + size - 1}
    return whole


@given(st.text("0123456789", max_size=12) | st.text("01289-./,' []()?", max_size=12))
def test_a_year_is_spelled_in_the_text(text: str) -> None:
    years = parse_dates(text)
    assert years is None or {abs(year) for year in years} <= spelled(text)


@given(st.integers(1, 9), st.integers(0, 999), st.sampled_from(",.'"))
def test_a_thousands_separator_never_cuts_a_number(first: int, rest: int, sign: str) -> None:
    number = first * 1000 + rest
    expected = (number, number) if number <= 2100 else None
    assert parse_dates(f"{first}{sign}{rest:03}") == expected
    assert parse_dates(f"{first}{sign}{rest:03} BC") == (-number, -number)


@given(st.integers(10, 20), st.integers(0, 9), st.sampled_from(["{}-", "[{}-?]", "{}-?", "({}-)"]))
def test_a_missing_digit_is_a_decade(century: int, decade: int, form: str) -> None:
    begin = century * 100 + decade * 10
    assert parse_dates(form.format(begin // 10)) == (begin, begin + 9)


@given(st.integers(100, 2099), st.integers(0, 300))
def test_ranges_come_back(begin: int, length: int) -> None:
    end = min(begin + length, 2100)
    assert parse_dates(f"{begin}–{end}") == (begin, end)
    assert parse_dates(f"zwischen {begin} und {end}") == (begin, end)
    assert parse_dates(f"{begin} BC") == (-begin, -begin)


@given(st.integers(2, 21), st.sampled_from(["{} century", "{} siècle", "{} Jh.", "{} eeuw"]))
def test_centuries_come_back(number: int, form: str) -> None:
    ordinal = f"{number}." if "Jh" in form else f"{number}e" if "c" not in form else f"{number}th"
    if "siècle" in form:
        ordinal = f"{number}e"
    begin = (number - 1) * 100
    assert parse_dates(form.format(ordinal)) == (begin, begin + 99)


@pytest.mark.parametrize(
    "piece", ["1", "c. ", "(", "1650-", "19th ", "- ", "M", "é", " ", "J.-", "\0"]
)
def test_only_the_beginning_of_a_long_text_is_read(piece: str) -> None:
    """Reading costs the same whether 500 characters follow or a hundred thousand."""
    long = piece * (100_000 // len(piece))
    assert parse_dates(long) == parse_dates(long[:MAX_DATE_CHARS])


@pytest.mark.parametrize(
    "text", ["", "-", "n.d.", "N. D.", "o.J.", "ohne Jahr", "sans date", "z.j."]
)
def test_undated_texts_say_so(text: str) -> None:
    assert says_undated(text)


@pytest.mark.parametrize("text", ["late Qing?", "posthumous reprint", "1650"])
def test_other_texts_do_not_say_undated(text: str) -> None:
    assert not says_undated(text)


def sample(path: Path, n: int) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        lines = handle.readlines()
    return [json.loads(line) for line in random.Random(7).sample(lines, n)]


def year(text: str | None) -> int | None:
    match = re.match(r"(-?\d+)-\d\d-\d\d", text or "")
    return int(match[1]) if match else None


def test_nearly_every_date_of_a_museum_is_read(carnegie_records: Path) -> None:
    rows = sample(carnegie_records, 4000)
    texts = [row["creation_date"] for row in rows if row["creation_date"]]
    unread = [text for text in texts if parse_dates(text) is None and not says_undated(text)]
    assert len(unread) <= 0.002 * len(texts)


def test_intervals_agree_with_those_of_the_museum(carnegie_records: Path) -> None:
    agree, overlap, compared = 0, 0, 0
    for row in sample(carnegie_records, 4000):
        theirs = year(row["creation_date_earliest"]), year(row["creation_date_latest"])
        ours = parse_dates(row["creation_date"] or "")
        if ours is None or theirs[0] is None or theirs[1] is None:
            continue
        compared += 1
        agree += ours == theirs
        overlap += ours[0] <= theirs[1] and theirs[0] <= ours[1]
    assert compared > 3000
    assert agree >= 0.83 * compared
    assert overlap >= 0.98 * compared


def test_every_date_of_the_tate_is_read(tate_records: Path) -> None:
    texts = [row["dateText"] for row in sample(tate_records, 4000)]
    assert not [text for text in texts if parse_dates(text) is None and not says_undated(text)]

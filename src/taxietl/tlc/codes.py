"""What old files wrote as text, as the codes of today: one table a column, each with its source.
And which texts are flags, or stand for the same with or without blanks around them.

Keys are the published text in upper case without surrounding blanks. A text that is in no table
and is no whole number is not guessed: the cell becomes null, counted and noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# What programs write for a truth value: pandas True and False, Arrow true and false.
_FLAG_WORDS = {"N": 0, "NO": 0, "F": 0, "FALSE": 0, "Y": 1, "YES": 1, "T": 1, "TRUE": 1}

NUMBERS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        # TLC, yellow dictionary: 1 Creative Mobile Technologies, 2 Curb Mobility (VeriFone).
        # Files of 2009 to 2014 name them CMT and VTS (VeriFone Transportation Systems). DDS
        # (Digital Dispatch Systems) left the market in 2010 and has no number of the TLC's: 3.
        "VendorID": {"CMT": 1, "VTS": 2, "DDS": 3},
        # TLC, yellow dictionary: 1 credit card, 2 cash, 3 no charge, 4 dispute, 5 unknown.
        # Spellings: every yellow header and sample of 2009 to 2014.
        "payment_type": {
            "CREDIT": 1,
            "CRD": 1,
            "CRE": 1,
            "CASH": 2,
            "CAS": 2,
            "CSH": 2,
            "NO CHARGE": 3,
            "NOC": 3,
            "NO": 3,
            "DISPUTE": 4,
            "DIS": 4,
            "UNKNOWN": 5,
            "UNK": 5,
            "NA": 5,
        },
        # TLC, high volume dictionary of 2019: 1 if shared. DataTalksClub's fhvhv of 2021-06: N, Y.
        "SR_Flag": _FLAG_WORDS,
    }
)

NO_VALUE = frozenset({"NAN", "NAT", "<NA>", "NA", "N/A", "NULL", "NONE", "-"})
"""How pandas, R, spreadsheets and databases write that there is none, where they do not leave the
cell empty. No flag, number or time is one of these, unless it is in a table above."""

TRIMMED = frozenset(
    {
        "hvfhs_license_num",
        "dispatching_base_num",
        "originating_base_num",
        "Affiliated_base_number",
        "request_source",
    }
)
"""Texts around which blanks mean nothing: some files pad licences to a fixed width (fhv as
Parquet), others end some of them in a no-break space. Their case is kept, `b00256` of 2017 as
well: whether it is `B00256` would be a guess."""

FLAGS = frozenset(
    {
        "store_and_fwd_flag",
        "shared_request_flag",
        "shared_match_flag",
        "access_a_ride_flag",
        "wav_request_flag",
        "wav_match_flag",
    }
)
"""Texts that are Y or N, and nothing else. 2009 and 2010 write the first as 0 or 1 (1.0 after
pandas), Uber the third as a blank, which is no value."""

FLAG_TEXTS: Mapping[str, str] = MappingProxyType(
    {word: "NY"[value] for word, value in _FLAG_WORDS.items()}
)
"""What stands for either, beside the numbers 0 and 1."""

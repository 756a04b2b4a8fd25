"""What old files wrote as text, as the codes of today: one table a column, each with its source.
And the texts that stand for the same with or without blanks around them.

Keys are the published text in upper case without surrounding blanks. A text that is in no table
and is no whole number is not guessed: the cell becomes null, counted and noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
        "SR_Flag": {"N": 0, "Y": 1},
    }
)

PADDED = frozenset(
    {"hvfhs_license_num", "dispatching_base_num", "originating_base_num", "Affiliated_base_number"}
)
"""Licence numbers, which some files pad with blanks to a fixed width (`B01124         `, fhv as
Parquet). The blanks around them are left out; their case is kept, `b00256` of 2017 as well: whether
it is `B00256` would be a guess."""

TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        # 2009 and 2010 write the flag as 0 or 1 (1.0 after pandas); the dictionary has N and Y.
        "store_and_fwd_flag": {"0": "N", "1": "Y", "0.0": "N", "1.0": "Y"},
    }
)

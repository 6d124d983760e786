"""How the household's bank and its simulated networks know each other: keys, ports, both settings.

One description of each link, from which the simulator's settings and the bank's are both made.
"""

from __future__ import annotations

from typing import Any, Final

from tangguh.cli.place import Place
from tangguh.cli.post.link import PostLink
from tangguh.rails.banks import OUR_CODE
from tangguh.rails.iso8583 import hsm
from tangguh.web.partners.hub import BIFAST_PATH

ISSUER_NNS: Final = "93600999"
"""The demo bank's number in the national numbering: invented, and marked as test data."""
CLIENT_ID: Final = "bank-tangguh-demo"
PARTNER_ID: Final = "BANKTANGGUH"
CHANNEL_ID: Final = "95221"
WALLETS: Final = ("gopay", "ovo", "dana", "isaku")
OPERATOR: Final = "TRANSIT UJI"
OPERATOR_SHOP: Final = 6
"""The transit operator is paid as this one of the demo's shops."""
_KEYS: Final = (hsm.ZMK, hsm.ZPK, hsm.TPK, hsm.PVK, hsm.MAK, hsm.TAK, hsm.SEAL, hsm.TOKEN)
_KEY_BYTES: Final = 16


class Outside:
    """The links of one household. ``ports`` are free ones, one for each network by name."""

    def __init__(
        self, place: Place, bank_url: str, control_url: str, seed: int, ports: dict[str, int]
    ) -> None:
        self._place = place
        self._bank_url = bank_url
        self._control_url = control_url
        self._seed = seed
        self._ports = ports
        self.keys = card_keys(place)
        self.post = PostLink(place, bank_url, sms_port=ports["sms"], mail_port=ports["mail"])

    def sim_settings(self, control_port: int) -> dict[str, Any]:
        """What ``tangguh sim`` is told."""
        hub_private, _ = self._place.key_pair("hub")
        _, participant_public = self._place.key_pair("participant")
        _, connector_public = self._place.key_pair("connector")
        return {
            "control_port": control_port,
            "switch": self._snap("qris")
            | {"notify_url": f"{self._bank_url}/v1.0/qr/qr-mpm-notify"},
            "wallets": [self._snap(wallet) | {"wallet": wallet} for wallet in WALLETS],
            "billers": self._snap("billers"),
            "bifast": {
                "bank_public_key_path": str(participant_public),
                "answers_public_key_path": str(connector_public),
                "watch_public_key_path": str(self._place.signing_pair("watch")[1]),
                "hub_private_key_path": str(hub_private),
                "books_path": self._books("bifast"),
                "prefunded_minor": 0,
                "bank_url": f"{self._bank_url}{BIFAST_PATH}",
                "port": self._ports["bifast"],
                "seed": self._seed,
            },
            "post": self.post.sim_settings(),
            "transit": {
                "bank_url": self._bank_url,
                "private_key_path": str(self._place.key_pair("transit")[0]),
                "line_key": self._place.hex_key("transit-line", _KEY_BYTES),
                "books_path": self._books("transit"),
                "operator": OPERATOR,
                "seed": self._seed,
            },
            "cards": {
                "books_path": self._books("cards"),
                "pin_key": self.keys[hsm.ZPK],
                "mac_key": self.keys[hsm.MAK],
                "zone_key": self.keys[hsm.ZMK],
                "port": self._ports["cards"],
                "bank": OUR_CODE,
                "seed": self._seed,
            },
        }

    def gateway_settings(self) -> dict[str, Any]:
        """What ``tangguh gateway`` is told. The participant's private key goes nowhere else."""
        return {
            "url": f"http://127.0.0.1:{self._ports['bifast']}",
            "port": self._ports["gateway"],
            "connector_public_key_path": str(self._place.key_pair("connector")[1]),
            "private_key_path": str(self._place.key_pair("participant")[0]),
            "authorisation_public_key_path": str(self._place.ledger_key()[1]),
            "orders_public_key_path": str(self._place.signing_pair("watch")[1]),
            "bank_url": self._bank_url,
            "edge_private_key_path": str(self._place.signing_pair("edge")[0]),
            "snapshot_public_key_path": str(self._place.signing_pair("guard")[1]),
            "closures_path": str(self._place.directory / "gateway-closures.json"),
            "memory_path": str(self._place.directory / "gateway.sqlite"),
        }

    def watch_settings(self, dsn: str) -> dict[str, Any]:
        """What ``tangguh watch`` is told. ``dsn`` is its own role's, and nobody else's."""
        return {
            "url": f"http://127.0.0.1:{self._ports['bifast']}",
            "private_key_path": str(self._place.signing_pair("watch")[0]),
            "hub_public_key_path": str(self._place.key_pair("hub")[1]),
            "dsn": dsn,
            "gateway_url": f"http://127.0.0.1:{self._ports['gateway']}",
            "bank_url": self._bank_url,
            "memory_path": str(self._place.directory / "watch.sqlite"),
            "port": self._ports["watch"],
        }

    def guard_settings(self) -> dict[str, str]:
        """The bank's side of both: its key for the board, and whom it believes."""
        return {
            "snapshot_key_path": str(self._place.signing_pair("guard")[0]),
            "edge_public_key_path": str(self._place.signing_pair("edge")[1]),
            "watch_public_key_path": str(self._place.signing_pair("watch")[1]),
            "watch_url": f"http://127.0.0.1:{self._ports['watch']}",
        }

    def bank_settings(self) -> dict[str, Any]:
        """The bank's sections for its networks, and the key its ledger signs with."""
        connector_private, _ = self._place.key_pair("connector")
        _, participant_public = self._place.key_pair("participant")
        ledger_private, ledger_public = self._place.ledger_key()
        _, switch_public = self._place.key_pair("switch")
        _, hub_public = self._place.key_pair("hub")
        return {
            "qris": self._partner("qris")
            | {"switch_public_key_path": str(switch_public), "issuer_nns": ISSUER_NNS},
            "ewallet": {wallet: self._partner(wallet) for wallet in WALLETS},
            "billers": self._partner("billers"),
            "bifast": {
                "url": f"http://127.0.0.1:{self._ports['gateway']}",
                "private_key_path": str(connector_private),
                "hub_public_key_path": str(hub_public),
                "gateway_public_key_path": str(participant_public),
            },
            "authorise": {
                "private_key_path": str(ledger_private),
                "public_key_path": str(ledger_public),
            },
            "iso8583": {
                "port": self._ports["cards"],
                "institution": OUR_CODE,
                "pan_prefix": ISSUER_NNS,
                "keys": self.keys,
            },
            "transit": {
                "operator": OPERATOR,
                "merchant_pan": f"{ISSUER_NNS}{OPERATOR_SHOP:010d}",
                "line_key": self._place.hex_key("transit-line", _KEY_BYTES),
                "public_key_path": str(self._place.key_pair("transit")[1]),
            },
            "treasury": {
                "url": self._control_url,
                "watch_url": f"http://127.0.0.1:{self._ports['watch']}",
            },
            "cycles": {"source": f"{self._control_url}/networks/{{network}}/settlement"},
            "terminals": {"port": self._ports["terminals"], "line": {"mac_key": hsm.TAK}},
        }

    def _snap(self, name: str) -> dict[str, Any]:
        _, bank_public = self._place.key_pair("bank")
        switch_private, _ = self._place.key_pair("switch")
        return {
            "client_id": CLIENT_ID,
            "client_secret": self._place.secret(f"{name}-client"),
            "partner_id": PARTNER_ID,
            "channel_id": CHANNEL_ID,
            "bank_public_key_path": str(bank_public),
            "switch_private_key_path": str(switch_private),
            "books_path": self._books(name),
            "port": self._ports[name],
            "seed": self._seed,
        }

    def _partner(self, name: str) -> dict[str, Any]:
        bank_private, _ = self._place.key_pair("bank")
        return {
            "url": f"http://127.0.0.1:{self._ports[name]}",
            "client_id": CLIENT_ID,
            "client_secret": self._place.secret(f"{name}-client"),
            "private_key_path": str(bank_private),
            "partner_id": PARTNER_ID,
            "channel_id": CHANNEL_ID,
        }

    def _books(self, name: str) -> str:
        return str(self._place.directory / f"{name}-books.sqlite")


NETWORKS: Final = (
    "qris", "bifast", "gateway", "watch", "cards", *WALLETS, "billers", "terminals", "sms", "mail"
)  # fmt: skip
"""Everything that needs a port of its own."""


def card_keys(place: Place) -> dict[str, str]:
    """The keys of the card links in hex, made on first use and kept in the place."""
    return {name: place.hex_key(f"card-{name}", _KEY_BYTES) for name in _KEYS}

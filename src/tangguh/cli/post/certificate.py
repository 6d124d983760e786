"""The mail server's certificate: made on first use, kept with the keys, for this machine only."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tangguh.db.private import write_private

_GOOD_FOR: Final = timedelta(days=3650)
_ADDRESS: Final = "127.0.0.1"


def certificate(keys: Path, name: str, now: datetime) -> tuple[Path, Path]:
    """The certificate of this name and its private key, in PEM; made anew once it is over.

    Raises OSError when the keys' directory cannot be written, ValueError when the certificate there
    is none.
    """
    pem, private = keys / f"{name}.certificate.pem", keys / f"{name}.certificate-key.pem"
    if not (pem.exists() and private.exists()) or _ends_at(pem) <= now:
        key = ec.generate_private_key(ec.SECP256R1())
        # The key first: a certificate that is there has its key.
        write_private(
            private,
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        made = _signed(key, name, now)
        write_private(pem, made.public_bytes(serialization.Encoding.PEM))
    return pem, private


def _ends_at(pem: Path) -> datetime:
    return x509.load_pem_x509_certificate(pem.read_bytes()).not_valid_after_utc


def _signed(key: ec.EllipticCurvePrivateKey, name: str, now: datetime) -> x509.Certificate:
    """Signed by itself: whoever is given it believes it and nobody else."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"tangguh {name}")])
    public = key.public_key()
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        # A day back, so that clocks that differ a little agree.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _GOOD_FOR)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(_ADDRESS))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )

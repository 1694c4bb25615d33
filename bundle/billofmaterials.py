"""The bill of materials of a bundle as CycloneDX JSON: each package with its licence and hash, the encoder, its data."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bundle.licences import judge
from bundle.lock import sha256
from bundle.parts import Part, key

ENCODER = "index/model"  # in the wheel of hyoka
MADE = datetime(1980, 1, 1, tzinfo=UTC)  # the same bundle has the same bill; when it was made stands in its VERSION
DATA_NOTE = "The data it was trained on is named in NOTICE; none of it is in the bundle."


def bill(parts: Sequence[Part], model: Path, root: str = "hyoka", extras: Sequence[str] = ()) -> str:
    """CycloneDX 1.6 as JSON, the same for the same parts: no time and no random number stands in it.

    ``model`` is the folder of the encoder, ``root`` the part that the bill is about.
    """
    from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.license import LicenseExpression
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL
    from packaging.requirements import Requirement

    components: dict[str, Component] = {}
    for part in parts:
        spdx = judge(part, extras=extras).spdx
        components[part.key] = Component(
            name=part.name,
            version=part.version,
            type=ComponentType.APPLICATION if part.key == root else ComponentType.LIBRARY,
            bom_ref=f"{part.key}=={part.version}",
            description=part.summary or None,
            licenses=[LicenseExpression(spdx)] if spdx else [],
            purl=PackageURL("pypi", None, part.key, part.version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256(part.wheel))] if part.wheel else [],
            external_references=[ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(part.home))]
            if part.home
            else [],
        )
    encoder = Component(
        name="hyoka-encoder",
        version=components[root].version,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref="hyoka-encoder",
        description=f"Static word vectors for Japanese, bundled in hyoka ({ENCODER}). {DATA_NOTE}",
        licenses=[LicenseExpression("CC-BY-SA-4.0")],
        properties=[
            Property(name=f"sha256:{file.relative_to(model).as_posix()}", value=sha256(file))
            for file in sorted(model.rglob("*"))
            if file.is_file()
        ],
    )
    whole = Bom(components=[*(one for name, one in components.items() if name != root), encoder])
    whole.metadata.component = components[root]
    named = "\n".join(f"{part.key}=={part.version}" for part in parts)
    whole.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"https://pypi.org/project/{root}/\n{named}")
    for part in parts:
        needs = {Requirement(line).name for line in part.requires}
        below = [components[key(name)] for name in sorted(needs) if key(name) in components]
        whole.register_dependency(components[part.key], [*below, encoder] if part.key == root else below)
    whole.metadata.timestamp = MADE
    return str(JsonV1Dot6(whole).output_as_string(indent=1)) + "\n"

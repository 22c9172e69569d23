"""Which payment providers there are."""

from restante.server.config import Settings
from restante.server.payments.manual import Manual
from restante.server.payments.provider import Provider
from restante.server.payments.stripe import Stripe
from restante.server.plans.declared import Declared


def open_provider(declared: Declared | None, settings: Settings) -> Provider | None:
    """The one that the file of plans names."""
    if declared is None or declared.provider == "none":
        return None
    if declared.provider == "manual":
        return Manual(declared.words)
    return Stripe(
        declared,
        key=settings.stripe_key,
        secret=settings.stripe_webhook_secret,
        back=settings.origins[0],
        url=settings.stripe_url,
    )

"""What can be wrong with the web app that a server hands out.

WebError (a ClientError)
├── Manifest…    manifest-missing, manifest-malformed, manifest-not-signed
└── WebDiffers   web-differs
"""

from restante.client.errors import ClientError


class WebError(ClientError):
    """About the web app that a server hands out."""


class ManifestMissing(WebError):
    code = "manifest-missing"
    sentence = "There is no manifest to compare with"
    hint = "Take one with --manifest, or the release key with --key."


class ManifestMalformed(WebError):
    code = "manifest-malformed"
    sentence = "The manifest cannot be read"
    hint = "Get it again, from where the release is."


class ManifestNotSigned(WebError):
    code = "manifest-not-signed"
    sentence = "The manifest is not signed with the release key"
    hint = "Check the key; without one, compare with a manifest of a build of your own."


class WebDiffers(WebError):
    code = "web-differs"
    sentence = "The server hands out another web app than it must"
    hint = "Do not sign in there with a browser, and ask who runs the server. Another version is another app: compare with its manifest."

"""What a request names: parts of its path, and query parameters within their limits."""

from __future__ import annotations

from starlette.requests import Request

from tillmesh.kernel.errors import Invalid


class Asked:
    """Reads a request; mixed into the contexts that handlers get."""

    __slots__ = ()
    request: Request

    def path(self, name: str) -> str:
        """Give a part of the path."""
        return str(self.request.path_params[name])

    def query(self, name: str, default: str = "") -> str:
        """Give a query parameter."""
        return self.request.query_params.get(name, default)

    def limit(self, default: int, most: int) -> int:
        """Give the ``limit`` parameter within [1, most]; raises :class:`Invalid`."""
        text = self.query("limit", str(default))
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= most):
            raise Invalid(f"limit {text[:20]!r} is outside 1 to {most}", hint="Ask for fewer rows.")
        return int(text)

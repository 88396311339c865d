"""The colours that `color:` in `app.yaml` may name, from light (50) to dark (950): one hue in OKLCH each."""

from __future__ import annotations

WEIGHTS = (50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950)
LIGHTNESS = (97.5, 94.5, 89, 81, 71, 62, 52.5, 45.5, 39.5, 34, 25)
STRENGTH = (0.15, 0.3, 0.55, 0.8, 1, 1, 0.95, 0.85, 0.7, 0.6, 0.45)
HUES = {
    "gray": (260, 0.03),
    "blue": (258, 0.19),
    "green": (150, 0.15),
    "orange": (50, 0.17),
    "red": (25, 0.2),
    "purple": (303, 0.22),
    "teal": (184, 0.11),
    "pink": (355, 0.2),
}

PALETTES = {
    name: {
        str(weight): f"oklch({light}% {chroma * strength:.3f} {hue})"
        for weight, light, strength in zip(WEIGHTS, LIGHTNESS, STRENGTH, strict=True)
    }
    for name, (hue, chroma) in HUES.items()
}

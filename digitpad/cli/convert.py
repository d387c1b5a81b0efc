"""``digitpad convert``."""

import argparse
from pathlib import Path

from digitpad.cli.common import OK, add_convention, check_free, chosen_weights, print_result


def parser() -> argparse.ArgumentParser:
    """What ``digitpad convert`` can be told."""
    parser = argparse.ArgumentParser(
        prog="digitpad convert",
        description="Write weights of any kind that can be read in another format, which the ending of OUT tells: "
        ".npz (our own; with --plain, arrays W1, b1, …), .npy, .pkl, .json, .safetensors, .onnx, .py (a program that "
        "needs NumPy alone), or none for a folder of tables.",
    )
    parser.add_argument("source", type=Path, metavar="IN", help="a file, or a folder with a matrix a file")
    parser.add_argument("target", type=Path, metavar="OUT")
    parser.add_argument("--plain", action="store_true", help="an .npz of plain arrays, for pixels / 255")
    parser.add_argument("--force", action="store_true", help="replace what is there")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    add_convention(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run it, and return its exit status."""
    check_free(options.target, options.force)
    from digitpad.importers.open_file import convention_of
    from digitpad.weights.exports import export

    weights = chosen_weights(options.source, options)
    export(weights, options.target, plain=options.plain)
    convention = convention_of(weights)
    scored = weights.about.get("convention_accuracy")
    how = f", taken as {convention['activation']}, {convention['scaling']}" if "source" in weights.about else ""
    if scored is not None:
        how += f", reads {scored:.1%} of {weights.about['convention_scored']}"
    elif how:
        how += ", not scored"
    print_result(
        options,
        {
            "weights": weights.name,
            "written": str(options.target),
            "classes": weights.class_names,
            "convention": convention,
            "accuracy": scored,
        },
        f"{weights.name}{how}; written to {options.target}",
    )
    return OK

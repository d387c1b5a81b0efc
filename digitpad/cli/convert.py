"""``digitpad convert``: save a network in another format."""

import argparse
from pathlib import Path

from digitpad.cli.common import add_convention, check_free, chosen_weights, report_doubt
from digitpad.cli.output import OK, Parser, print_result


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of ``digitpad convert``."""
    parser = Parser(
        prog="digitpad convert",
        description="Save a network of any supported type in another format. The ending of OUT selects the format: "
        ".npz (digitpad's own; with --plain, arrays W1, b1, …), .npy, .pkl, .json, .safetensors, .onnx, .py (a program "
        "that needs only NumPy), or no ending for a folder of CSV tables.",
    )
    parser.add_argument("source", type=Path, metavar="IN", help="a file, or a folder with one file per matrix")
    parser.add_argument("target", type=Path, metavar="OUT")
    parser.add_argument("--plain", action="store_true", help="write an .npz of plain arrays, for pixels / 255")
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")
    add_convention(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the command, and return its exit status."""
    check_free(options.target, options.force)
    from digitpad.importers.open_file import convention_of
    from digitpad.weights.exports import export

    weights = chosen_weights(options.source, options)
    export(weights, options.target, plain=options.plain)
    convention = convention_of(weights)
    accuracy = weights.about.get("convention_accuracy")
    usage = f", with {convention['activation']} and {convention['scaling']}" if "source" in weights.about else ""
    if accuracy is not None:
        usage += f", accuracy {accuracy:.1%} on {weights.about['convention_scored']}"
    elif usage:
        usage += ", accuracy not tested"
    report_doubt(weights)
    print_result(
        options,
        {
            "weights": weights.name,
            "written": str(options.target),
            "classes": weights.class_names,
            "convention": convention,
            "accuracy": accuracy,
            "doubt": weights.about.get("doubt"),
        },
        f"{weights.name}{usage}; saved as {options.target}",
    )
    return OK

# SPDX-License-Identifier: Apache-2.0
"""The subcommands of `mgen-lc`, one file each.

A command is a module with `HELP` (one line), `add_arguments(parser)` and `run(options)`, entered in
`COMMANDS`. `mgen-lc --help` imports them all, so whatever is slow to import is imported in `run`. A
`ValueError` ends the command with its message and no traceback.
"""

COMMANDS = {
    "export": "modelgenerator.long_context.commands.export",
    "calibrate": "modelgenerator.long_context.commands.calibrate",
    "calibrate-heads": "modelgenerator.long_context.commands.calibrate_heads",
    "depmap": "modelgenerator.long_context.commands.depmap",
    "genomes": "modelgenerator.long_context.commands.genomes",
    "list": "modelgenerator.long_context.commands.list_methods",
    "monitor": "modelgenerator.long_context.commands.monitor",
    "new-method": "modelgenerator.long_context.commands.new_method",
    "password": "modelgenerator.long_context.commands.password",
    "push": "modelgenerator.long_context.commands.push",
    "report": "modelgenerator.long_context.commands.report",
    "study": "modelgenerator.long_context.commands.study",
}

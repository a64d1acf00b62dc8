// The participants' program: their commands alone, so that it is one small file that runs anywhere.
#include <CLI/CLI.hpp>

#include "participant/rows.hh"

int main(int argc, char** argv) {
    using namespace assay::participant;
    CLI::App app{"assay: hand in, follow, check."};
    app.set_version_flag("--version", std::string{"assay "} + ASSAY_VERSION);
    app.require_subcommand(1);
    app.footer(exit_codes_text);
    Rows rows;
    const Other nothing;
    add_rows(app, rows, nothing);
    add_why_row(app, rows);
    return static_cast<int>(run(app, argc, argv, rows));
}

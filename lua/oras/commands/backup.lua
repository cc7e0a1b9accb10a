--- oras-lua backup: many manifests into one layout.
local command = require "oras.cli.command"
local many = require "oras.cli.many"
local report = require "oras.cli.report"

local function run(registry, words, opts)
  if not opts.output then
    report.fail(report.USAGE, "option '--output' says where to; it has to be there")
  end
  return many.result(many.call(registry, "backup", words, opts.output, {
    concurrency = opts.concurrency,
    dry_run = opts.dry_run,
    filter = many.filter(opts),
    force = opts.force,
    platforms = opts.platform,
    referrers = opts.include_referrers,
  }), opts.dry_run)
end

return command.new {
  name = "backup",
  usage = "-o DIR|FILE.tar REF[:TAG,...]...",
  about = "Store tags, repositories or a whole registry (HOST/) in a layout, a directory or a tar.",
  example = "oras-lua backup -o app.tar localhost:5000/app localhost:5000/base:v1,v2",
  least = 1,
  references = "all",
  flags = many.flags {
    { "-o", "--output", value = "PATH", about = "where to, a directory or a .tar; needed" },
    { "--include-referrers", about = "with what refers to it: signatures, SBOMs, and theirs" },
  },
  run = run,
}

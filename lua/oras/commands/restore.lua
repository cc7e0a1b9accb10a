--- oras-lua restore: what a layout has under its names, into a registry.
local command = require "oras.cli.command"
local many = require "oras.cli.many"
local report = require "oras.cli.report"

local function run(registry, words, opts)
  if not opts.input then
    report.fail(report.USAGE, "option '--input' says where from; it has to be there")
  end
  return many.result(many.call(registry, "restore", opts.input, words[1], {
    concurrency = opts.concurrency,
    dry_run = opts.dry_run,
    filter = many.filter(opts),
    force = opts.force,
    map = command.pairs(opts.map, "--map"),
    platforms = opts.platform,
    referrers = not opts.exclude_referrers,
  }), opts.dry_run)
end

return command.new {
  name = "restore",
  usage = "--input DIR|FILE.tar [REF[:TAG,...]]",
  about = "Bring a layout's names to a repository; to a registry (HOST/); or back where they came from.",
  example = "oras-lua restore --input app.tar localhost:6000/",
  least = 0,
  most = 1,
  flags = many.flags {
    { "--input", value = "PATH", about = "the layout, a directory or a .tar; needed" },
    { "--exclude-referrers", about = "without what refers to it" },
    { "--map", value = "FROM=TO", many = true, about = "other beginnings of references" },
  },
  run = run,
}

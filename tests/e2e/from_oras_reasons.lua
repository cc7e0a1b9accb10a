-- luacheck: no max line length
--- What docs/from-oras.md says of everything that is not the same as in oras.
---
--- Of a flag ("COMMAND --flag", or "* --flag" for all commands): `as` is its name here, `better` and
--- `note` say what differs where the name is the same, `short` why its letter is not there, `no` why it
--- is not there. Of a command: `note`, or `no`.
return {
  head = [[
# From oras

Every command and every flag of oras VERSION, and what it is here. A test makes this page of `oras --help`, of `oras-lua help` and of a list of reasons, and fails when it is not true. What holds for all commands:

- Words and flags are oras's: put `oras-lua` in place of `oras`. `-` is standard input or output wherever a file may stand.
- **A pipe gets the result alone**: a digest, names, bytes. oras writes its status lines there, too. A terminal gets text for people; `--format json` gives one document on every command ([its keys](json.md)).
- **Nothing is on standard output when a command fails**, and no file stands under its name that is not complete and verified.
- Exit codes: 0 done, 1 refused or failed, 2 the command line is wrong, 130 interrupted; oras has 0 and 1.
- A reference may also be `oci:DIR:TAG`, `oci:DIR@DIGEST` or `oci:FILE.tar:TAG`, which is what `--oci-layout` makes of it. Without tag or digest it means `latest`, but for `push`, `attach`, `copy` and `restore`, as in oras.
- Names without a registry go to Docker Hub: `alpine` is `docker.io/library/alpine`, `user/app:1` is `docker.io/user/app:1`; oras has no short names. A registry alone (`localhost:5000`, `127.0.0.1`) is an error in both.
- Loopback is plain http by itself (127.0.0.1 and ::1, not only `localhost`); `--plain-http=false` or a certificate says otherwise.
- Requests are repeated when a server or a network fails, downloads go on where they broke, even in the next process; credentials go to the registry that they are for, and nowhere else.
]],

  commands = {
    attach = { note = "A `FILE` of `-` is standard input. The digest is the same on every run." },
    backup = { note = "Several references, whole repositories or a whole registry (`HOST/`); a tag that fails does not lose the others." },
    ["blob delete"] = { note = "Prints the digest; asks on a terminal, and without one and without `-f` does nothing." },
    ["blob fetch"] = { note = "Nothing stands in the file, and nothing is printed, before the blob is verified." },
    ["blob push"] = { note = "Standard input may be of any size, without digest and `--size`." },
    ["completion bash"] = { note = "It needs nothing but bash; `cmake --install` puts it in place." },
    ["completion fish"] = { note = "`cmake --install` puts it in place." },
    ["completion powershell"] = { no = "the completions are for the shells of Linux and macOS: bash, zsh, fish." },
    ["completion zsh"] = { note = "`cmake --install` puts it in place." },
    cp = { note = "The flags for a registry come as `--from-...` and `--to-...`. Writes tars, too (`oci:FILE.tar:TAG`). What the target has is found once, whole; an index that is trimmed keeps the bytes of what stays." },
    discover = { note = "A type chooses what is shown *and the way to it*: nothing that fits is hidden behind something that does not." },
    help = { note = "`help flags` explains the flags that many commands have." },
    login = { note = "Asks the registry before it stores; many at once lose none." },
    logout = { note = "Says when there was nothing." },
    ["manifest delete"] = { note = "Prints the digest and says which tags went with it; `untag` takes a tag alone." },
    ["manifest fetch"] = { note = "Always verified." },
    ["manifest fetch-config"] = { note = "Always verified." },
    ["manifest index create"] = { note = "Manifests may be of other repositories and registries: they are copied first." },
    ["manifest index update"] = { note = "What is not changed keeps its bytes, fields that nobody knows, too; nothing comes twice." },
    ["manifest push"] = { note = "A digest in the reference is checked before anything is sent." },
    pull = { note = "A broken download goes on where it broke, also in the next process. Of an index with platforms it wants one; without, the files of all come. What has no title is told, and taken with `--untitled`." },
    push = { note = "The same files give the same digest on every run: no time is noted unless `--created` asks for it." },
    ["repo ls"] = { note = "One name a line." },
    ["repo tags"] = { note = "One name a line." },
    restore = { note = "Without a reference back to where all came from, with `HOST/` to a registry; several repositories at once." },
    tag = { note = "Prints the new names." },
  },

  flags = {
    ["* --template"] = { no = "`--format json` has what a template could show" },
    ["* --format"] = { note = "`text` and `json`; no `go-template`: programs read json" },
    ["discover --format"] = { note = "`tree` (the same as `text`) and `json`; no `table`, which oras gives up, no `go-template`" },
    ["discover --output"] = { as = "--format", note = "oras gives the name up, too" },
    ["discover --no-tty"] = { note = "there are no colours" },
    ["* --concurrency"] = { note = "8 by default" },
    ["* --registry-config"] = { note = "again and again: read in order, the first is written" },
    ["* --resolve"] = { better = "IPv6 addresses in brackets, too" },
    ["cp --platform"] = { better = "patterns, too: `linux/*`" },
    ["completion bash --no-descriptions"] = { no = "bash shows none" },
    ["completion fish --no-descriptions"] = { no = "fish leaves them out when it is told to" },
    ["completion zsh --no-descriptions"] = { no = "`zstyle` turns them off" },
    ["pull --allow-path-traversal"] = { no = "nothing is ever written outside of `-o`; `--rename` and another `-o` say where a file goes" },
    ["push --annotation"] = { better = "`FILE:KEY=VALUE` is one of a file" },
    ["push --force"] = { note = "push asks for every blob in any case" },
  },

  wishes = {
    { "Resume or retry a broken download", "within a process and in the next one, after `kill -9`, too" },
    { "Retry and resume an upload, in chunks, past expired tokens", "goes on from the server's offset; chunks by option and where a server wants them" },
    { "Deterministic push", "the same files give the same digest" },
    { "Delete a tag and nothing else", "`untag`, also on registries that delete no tags" },
    { "Several platforms and patterns in one copy", "`--platform linux/*`, with a trimmed index; `backup` and `restore`, too" },
    { "pull to standard output, push from standard input", "`pull -o -`, `push REF -`, of unknown size" },
    { "pull only some files, under other names", "`--only`, `--rename`" },
    { "pull artifacts whose layers have no title", "`--untitled`; the provider `helm`" },
    { "Leave directories packed", "`pull --no-unpack`" },
    { "zstd", "`push --compression zstd`; pull knows it" },
    { "Modes of single files", "`--preserve-permissions`" },
    { "JSON everywhere, tags with digests", "`--format json` on every command; `tags --digests`" },
    { "Annotations of layers on the command line", "`push -a FILE:KEY=VALUE`" },
    { "`Retry-After` and jitter", "both, in seconds and as a date" },
    { "A cache that many processes share", "`ORAS_CACHE`" },
    { "Many repositories, a whole registry, other names", "`backup`, `restore --map`" },
    { "A layout's tar as target of a copy", "`oci:FILE.tar:TAG`" },
    { "Choose referrers by type and annotation", "`--include-type`, `--exclude-annotation` and the like" },
    { "podman's auth.json, credentials by namespace and from the environment", "all of them" },
    { "Clouds without helper programs", "`auth_backend = \"ecr\"`; `get_credentials` of a provider for the others" },
    { "sha512", "end to end" },
    { "Compare files with an artifact", "`verify DIR REF`" },
    { "Nothing left behind by a failure", "a partial file is kept to go on from, and goes with the next success" },
    { "A tool of one's own in little code", "a provider: a file with a class" },
    { "Many artifacts at once in one process", "`oras.map`, `oras.gather`" },
    { "Shallow copies, an index across repositories", "`copy --shallow`, `manifest index create`" },
  },
}

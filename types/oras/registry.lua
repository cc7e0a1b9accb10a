---@meta oras.registry
--- The base class of providers.
--- Written by scripts/types.lua from the library's own comments.

---@class oras.Platform
---@field os string
---@field architecture string
---@field variant? string
---@field os_version? string
---@field os_features? string[]

---@class oras.Failure
---@field method string
---@field url string
---@field attempt integer how many tries there were
---@field spoilt integer how many of them brought wrong bytes
---@field error? oras.Error what broke
---@field response? oras.Response what was answered

---@class oras.BackupOptions
---@field referrers? boolean with what refers to them, and what refers to that
---@field platforms? string|table of an index only these, as copy has it; what is none is taken whole
---@field filter? function|table as of copy: which entries and referrers
---@field select? fun(container: oras.Container): boolean which of the tags that are listed
---@field force? boolean do not trust that a manifest which the layout has is complete there
---@field concurrency? integer references at the same time; 8
---@field dry_run? boolean change nothing; each item's `stats.plan` says what would move

---@class oras.BackupItem : oras.Item
---@field name string in the layout
---@field mediaType string
---@field digest string
---@field size integer
---@field done string "copied", or "exists" when the layout has it already
---@field stats? oras.CopyStats

---@class oras.CopyOptions
---@field from? oras.Registry serves the source; self by default
---@field to? oras.Registry serves the target; self by default
---@field platforms? string|table one copies that platform's manifest, several ("linux/*" is that, too)
--- an index of these
---@field filter? function|table which entries of an index ("entry") and which referrers ("referrer"):
--- `fun(descriptor, kind): boolean`, or patterns for referrers (registry/copy_filter.lua)
---@field shallow? boolean manifests without their blobs, for a target that has them or can do without;
--- a later copy that is to bring them takes `force`
---@field recursive? boolean with the referrers of every manifest, and theirs
---@field force? boolean do not trust that a manifest which the target has is complete there
---@field mount? boolean false: never mount blobs from the source's repository
---@field concurrency? integer blobs and manifests at the same time; 8
---@field dry_run? boolean change nothing; `stats.plan` says what would move
---@field tags? string[] more names for the target
---@field untagged? boolean store it by its digest alone, under no name

---@class oras.CopyStats
---@field blobs { copied: integer, mounted: integer, skipped: integer }
---@field manifests integer that were put
---@field bytes integer of the blobs and manifests that were sent
---@field plan? { action: string, descriptor: table }[] "copied", "mounted", "skipped"

---@class oras.IndexOptions
---@field annotations? table<string, string|false> of the index; false takes one away
---@field artifact_type? string "" takes it away
---@field subject? string|table what the index is about
---@field tags? string|string[] more names
---@field untagged? boolean store it by its digest, under no name but `tags`
---@field add? any[] entries that come in
---@field merge? any[] indexes whose entries come in
---@field remove? any[] digests or tags of entries that go

---@class oras.Item
---@field reference string where it came from, or was to come from
---@field error? oras.Error

---@class oras.Pulled
---@field path string
---@field descriptor table
---@field unpacked boolean

---@class oras.Skipped
---@field descriptor table
---@field title? string
---@field path? string
---@field unpacked? boolean
---@field reason string "no title", "media type", "filter", "only", "name", "exists", "same content",
--- "same title and content"

---@class oras.Outgoing a manifest on its way: its bytes are what it is
---@field raw string
---@field media_type string
---@field digest string
---@field size integer
---@field document? table decoded; nil for what is no JSON object

---@class oras.Rate
---@field limit? integer requests that a window allows
---@field remaining integer
---@field window? integer its length, in seconds
---@field reset? number seconds until there are more
---@field source? string who is counted: an address, an account

---@class oras.RestoreOptions
---@field referrers? boolean false: without what refers to them
---@field map? function|table where to, instead: `fun(reference, name): string?` (nil leaves it out), or
--- beginnings of references by what they become; each has to be that of a name
---@field tags? string|string[] only these names
---@field platforms? string|table of an index only these
---@field filter? function|table as of copy
---@field force? boolean do not trust that a manifest which the target has is complete there
---@field concurrency? integer names at the same time; 8
---@field dry_run? boolean change nothing; each item's `stats.plan` says what would move

---@class oras.RestoreItem : oras.Item
---@field name string in the layout
---@field mediaType string
---@field digest string
---@field size integer
---@field done string "copied", or "exists" when the target has it already
---@field stats oras.CopyStats

---@class oras.Verified
---@field path string
---@field descriptor table
---@field status "same"|"missing"|"changed"|"kind"
---@field reason? string why it is not the same
---@field unpacked boolean
---@field files? { path: string, status: string }[] of a directory: what is different in it

---@class oras.Registry : oras.Object
---@field hostname? string registry of references without one
---@field media_types? table<string, string> names of layers by media type, for organize_layers
---@field auth? table authentication scheme of one's own
---@field dry_run boolean nothing is changed: requests that write are told ("write") and refused
---@overload fun(opts?: oras.RegistryOptions): oras.Registry
local Registry = {}

--- Set up an object from its options; a subclass that overrides it calls
--- `Class.super.init(self, opts)`.
---@param opts? oras.RegistryOptions see docs; a subclass adds its own in `Class.options`
--- Raises oras.Error usage
function Registry:init(opts) end

--- Parse a reference; a container is given back as it is.
---@param name string|oras.Container "host/repository[:tag][@digest]" or "oci:DIR[:TAG][@DIGEST]"
---@return oras.Container
--- Raises oras.Error usage
function Registry:get_container(name) end

--- Send a header with every request to the registry itself; never to another origin. What
--- frames or routes a message (Content-Length, Host, Connection, ...) is not for the caller.
---@param name string
---@param value string|string[]|nil nil takes it back
--- Raises oras.Error usage
function Registry:set_header(name, value) end

--- Call a function when something happens: "request" (the request), "response" (the
--- response), "retry" ({attempt, delay, error, response}), "progress" ({phase, digest, done, total,
--- title?, blobs?}: registry/progress.lua), "warning" (the registry's text), "write" (what a dry
--- run does not send: {method, url}).
---@param event string
---@param fn function
--- Raises oras.Error usage
function Registry:on(event, fn) end

--- One operation: the request with authentication, retries and redirects. Gives the answer
--- whatever its status (see check_response).
---
--- `opts`: `headers`, `accept`, `body`, `range = {first, last}`, `stream`, `max_bytes`, `digest`
--- and `size` (what the body must be), `sink` (of oras.core) or `file` (fields of core.sink.file),
--- `repository` or `scope` (for tokens), `auth = false`, `retry = false`, `timeout`, `http2`.
---@param method string
---@param url string full URL, URL without scheme, or a path like "/v2/_catalog"
---@param opts? oras.RequestOptions
---@return oras.Response
--- Raises oras.Error network, timeout, tls, protocol, redirect, integrity, limit, auth, ...
function Registry:do_request(method, url, opts) end

--- One exchange: one request, one answer; overridable. `request` has what
--- `client:request` of oras.core takes.
---@param request table
---@return oras.Response? or nil and an oras.Error, which may be tried again
---@return oras.Error?
function Registry:send(request) end

--- Give a request what proves who we are, before it is sent (then `answer` is nil) or when the
--- registry has refused it with a 401. Overridable; `self.auth` does the work when there is one.
---@param request table its `secret` is set
---@param answer? oras.Response
---@return boolean? again whether to send it again
--- Raises oras.Error auth, config, ...
function Registry:authenticate(request, answer) end

--- May a failed request be tried again? Overridable.
---@param failure oras.Failure
---@return boolean
function Registry:should_retry(failure) end

--- Raise unless the answer is a success.
---@param answer oras.Response
---@param kind? string what was asked for: "manifest"
---@param name? string its name
---@param place? oras.Container where
---@return oras.Response
--- Raises oras.Error not_found, auth, denied, rate, server, ...
function Registry:check_response(answer, kind, name, place) end

--- Store files as an artifact that refers to a manifest, which is found by `referrers` from then on.
--- It has no name of its own, but those of `tags`.
---
--- `opts`: `artifact_type` (needed), `platform` (refer to that manifest of an index), and those of
--- push: `annotations` or `annotation_file`, `config`, `created`, `tags`, `compression`, `algorithm`,
--- `concurrency`, `disable_path_validation`.
---@param ref string|oras.Container the subject
---@param list (string|table)[] as for push; may be empty if there are annotations
---@param opts oras.AttachOptions
---@return oras.Descriptor descriptor of the manifest
---@return oras.Manifest
--- Raises oras.Error usage, not_found, path, io, content, auth, denied, ...
function Registry:attach(ref, list, opts) end

--- Store manifests and all they are made of in a layout: a directory, or a tar when the path ends in
--- ".tar". What the layout has is not fetched again, so that a backup that broke off is taken up.
---
--- One repository is stored under its tags, as oras does it; several under whole references
--- ("localhost:5000/a:v1"). What fails does not lose the others, and is raised at the end.
---@param refs string|table a reference or a list: by tag or digest, "host/repo:a,b", "host/repo" (all its
--- tags), "host" or "host/prefix/" (all its repositories)
---@param path string
---@param opts? oras.BackupOptions
---@return oras.BackupItem[]
--- Raises oras.Error not_found, auth, integrity, io, ...; `failures` has what failed, `done` what is stored
function Registry:backup(refs, path, opts) end

--- Get a blob. `content`, `json()`, `chunks()` and `entries()` of the answer give its bytes,
--- which are verified; with `range` (bytes, inclusive) only the size can be.
---@param ref string|oras.Container
---@param blob string|oras.Descriptor digest or descriptor
---@param opts? oras.GetBlobOptions
--- `stream`: bytes come while they arrive, and only as fast as they are read
---@return oras.Response
--- Raises oras.Error not_found, integrity, limit, auth, ...
function Registry:get_blob(ref, blob, opts) end

--- Is a blob there? What cannot be answered is raised, not false.
---@param ref string|oras.Container
---@param blob string|oras.Descriptor digest or descriptor
---@return boolean
--- Raises oras.Error auth, network, ...
function Registry:blob_exists(ref, blob) end

--- Bring a blob into a file, which appears when it is complete and verified. A download
--- that breaks off is taken up again, by the next process too, unless `resume` is false.
---
--- `mode` is the file's, less the umask unless `exact`.
---
--- pull brings everything through here. It gives `root` (of oras.core, the output directory)
--- and `below`, which say where `path` is without following symbolic links, for what is
--- unpacked `unpack`, the options of core.sink.tree, and as `twin` the path of a file that has
--- the same content.
---@param ref string|oras.Container
---@param blob string|oras.Descriptor digest or descriptor
---@param path string missing directories are made
---@param opts? oras.DownloadOptions
---@return string path
--- Raises oras.Error not_found, integrity, exists, io, network, ...
function Registry:download_blob(ref, blob, path, opts) end

--- Give a manifest more names: its bytes stay what they are.
---@param ref string|oras.Container
---@param names string|string[]
---@return oras.Descriptor descriptor
--- Raises oras.Error not_found, usage, auth, denied, ...
function Registry:tag(ref, names) end

--- Take one name away, the reference's own unless another is given. Its manifest and the
--- manifest's other names stay; see delete_tags.
---@param ref string|oras.Container
---@param name? string
---@param opts? oras.UntagOptions
---@return boolean deleted false: there was no such tag
--- Raises oras.Error unsupported, usage, auth, denied, ...
function Registry:untag(ref, name, opts) end

--- Take names away. The manifests and their other names stay.
---
--- Where a registry deletes no tags, a manifest of our own is put under the name and deleted by
--- its digest (not with `placeholder = false`). Where that fails too, the error says which other
--- tags a delete of the manifest would take; `force = true` does it all the same.
---@param ref string|oras.Container
---@param names string|string[]
---@param opts? oras.UntagOptions
---@return string[] deleted
---@return string[] missing
--- Raises oras.Error unsupported, usage, auth, denied, ... its `deleted` lists what is gone already
function Registry:delete_tags(ref, names, opts) end

--- Delete a manifest by its digest, and with it all its names, which are told. They are looked
--- for before, one request a tag of the repository, unless `find_tags` is false.
---@param ref string|oras.Container
---@param opts? oras.DeleteManifestOptions
---@return string digest
---@return string[]? tags nil: not known
--- Raises oras.Error not_found, unsupported, auth, denied, ...
function Registry:delete_manifest(ref, opts) end

--- Delete a blob, whichever manifests need it.
---@param ref string|oras.Container
---@param blob string|oras.Descriptor digest or descriptor
--- Raises oras.Error not_found, unsupported, auth, denied, ...
function Registry:delete_blob(ref, blob) end

--- The descriptor of what a reference names, by one HEAD, or nil when nothing is there: the step
--- by which copy asks whether a manifest is at the target.
---@param container oras.Container
---@return oras.Descriptor? descriptor
--- Raises oras.Error auth, network, ...
function Registry:find_manifest(container) end

--- Copy a manifest or index and all it is made of. Bytes stay as they are; what the target has is
--- not sent again; within one registry blobs are mounted, if both sides show the same credentials;
--- the name comes last.
---@param src string|oras.Container
---@param dst string|oras.Container
---@param opts? oras.CopyOptions
---@return oras.Descriptor descriptor
---@return oras.CopyStats stats
--- Raises oras.Error not_found, auth, denied, integrity, limit, ...; `origin` is "source" or "destination"
function Registry:copy(src, dst, opts) end

--- Use a user name and password (or personal access token). They go to `hostname`, or to the
--- option of that name, or else to the first registry that asks for credentials; to no other.
---@param user string
---@param password string
---@param hostname? string
--- Raises oras.Error usage
function Registry:set_basic_auth(user, password, hostname) end

--- Use a bearer token that the registry itself understands; bound as set_basic_auth says.
---@param token string
---@param hostname? string
--- Raises oras.Error usage
function Registry:set_token_auth(token, hostname) end

--- The credentials for a registry; a subclass may override it to supply them. Asked only when
--- the registry wants some: those that were set, else what the program gives that this runs in
--- (oras_options.credentials in C), else those of the environment, of a helper or a file
--- (docs/credentials.md), for the longest part of the repository's name that has some.
---@param hostname string "ghcr.io", "localhost:5000"
---@param repository? string
---@return table|false|nil `{username, password}`, `{identity_token}` or `{registry_token}`; false: nobody
--- Raises oras.Error config, helper
function Registry:get_credentials(hostname, repository) end

--- Those who refer to a manifest directly: by the registry's API, or by the tag that stands for it.
---
--- `artifact_type` and `annotations` (a value by name, or true for any) choose among them; `platform`
--- asks about that manifest of an index. A subject named by its digest need not be there.
---@param ref string|oras.Container
---@param opts? oras.ReferrersOptions
---@return oras.Descriptor[] descriptors with artifactType and annotations
--- Raises oras.Error not_found, content, limit, auth, unsupported, ...
function Registry:referrers(ref, opts) end

--- All that refers to a manifest, and what refers to that, and so on.
---
--- `depth`: so many levels (all by default); `artifact_type`: what is of that type, with all that
--- leads to it; `platform`: of that manifest of an index.
---@param ref string|oras.Container
---@param opts? oras.DiscoverOptions
---@return oras.Descriptor descriptor with `referrers`, an array of such descriptors
--- Raises oras.Error not_found, content, limit, auth, unsupported, ...
function Registry:discover(ref, opts) end

--- Step of index: the bytes of what it would store. Nothing is stored.
---@param ref string|oras.Container
---@param list? any[] entries; nil: the index at the reference is changed
---@param opts? oras.IndexOptions
---@return string bytes
---@return string media_type
---@return table[] new entries that were not there: { descriptor, place, is_foreign }
--- Raises oras.Error usage, not_found, content, ...
function Registry:make_index(ref, list, opts) end

--- Make an index of manifests that are there, or change one: without `list`, the index at the
--- reference with `add`, `merge` and `remove`. A tag moves to the new index; a reference by digest
--- gets `tags` only.
---
--- An entry is a tag or digest of the same repository, a reference (what is elsewhere is copied first),
--- a descriptor, or `{reference, platform, annotations}`. Its platform is that of an image's config.
---@param ref string|oras.Container
---@param list? any[] entries
---@param opts? oras.IndexOptions
---@return oras.Descriptor descriptor
--- Raises oras.Error usage, not_found, content, ...
function Registry:index(ref, list, opts) end

--- Log in: ask the registry whether it takes these credentials, then keep them where
--- `get_credentials` finds them (docs/credentials.md).
---@param opts oras.LoginOptions `hostname` (else the object's), `username` and `password`, or `identity_token`; `config_path`
---@return { hostname: string, username?: string, config_path: string }
--- Raises oras.Error usage, auth, config, helper, io, network, ...
function Registry:login(opts) end

--- Log out: forget a registry's credentials, in the file (or with the helper) that login writes.
---@param hostname? string the option `hostname` unless given
---@param opts? oras.LogoutOptions
---@return true? was_there nil when there was nothing
---@return string? elsewhere another place that still has credentials for it
--- Raises oras.Error usage, config, helper, io
function Registry:logout(hostname, opts) end

--- Fetch one manifest or index and verify it; the step that all others share.
---@param container oras.Container
---@param opts? { accept?: string|string[], max_bytes?: integer, expected?: table }
---@return oras.Manifest
--- Raises oras.Error not_found, integrity, content, limit, auth, ...
function Registry:fetch_manifest(container, opts) end

--- Fetch an index: a list of manifests, one a platform or more.
---@param ref string|oras.Container
---@param opts? { accept?: string|string[], max_bytes?: integer, or_manifest?: boolean }
--- `or_manifest`: what is no index is given back too
---@return oras.Manifest
--- Raises oras.Error not_found, integrity, content, ...
function Registry:get_image_index(ref, opts) end

--- Get a manifest (or, without `platform`, also an index): a table of its JSON, whose
--- `descriptor()`, `raw()` and `media_type()` tell of its bytes. They are always verified.
---@param ref string|oras.Container
---@param opts? oras.GetManifestOptions
---@return oras.Manifest
--- Raises oras.Error not_found, integrity, content, limit, auth, ...
function Registry:get_manifest(ref, opts) end

--- Choose the entry of an index for a platform; for a list of platforms, a list of entries.
---@param index oras.Manifest
---@param wanted string|table "os/arch[/variant]", such a table, or a list of them
---@return oras.Descriptor descriptor or array of descriptors
--- Raises oras.Error not_found lists the platforms that are there
function Registry:select_platform(index, wanted) end

--- The descriptor of what a reference names.
---@param ref string|oras.Container
---@param opts? oras.ResolveOptions
---@return oras.Descriptor descriptor mediaType, digest, size
--- Raises oras.Error not_found, auth, ...
function Registry:resolve(ref, opts) end

--- Get the config of a manifest: the decoded JSON (or the bytes, when its type is no JSON),
--- and its descriptor. A config of zero bytes, which some clients store as JSON, is an empty
--- table.
---@param ref string|oras.Container
---@return table|string config
---@return oras.Descriptor descriptor
--- Raises oras.Error not_found, content, integrity, ...
function Registry:get_config(ref) end

--- Sort the layers of a manifest by name: `layers.NAME` is the first, `layers:all(NAME)` all.
---@param doc oras.Manifest
---@param map? table<string, string> media type -> name; `self.media_types` by default, and
--- without it the name is the media type
---@return table<string, table>
--- Raises oras.Error content, usage
function Registry:organize_layers(doc, map) end

--- The name that the guide of oras-py uses for organize_layers.
---@param doc oras.Manifest
---@param map? table<string, string>
---@return table<string, table>
function Registry:_organize_layers(doc, map) end

--- Bring the layers of a manifest into files named by their titles, below a directory; an index
--- needs a platform, but one without platforms gathers artifacts, which all come. Names
--- and what is there already are checked before anything is downloaded; each file appears
--- complete and verified, or not at all. What is there with the same content is not fetched: a
--- file of the layer's digest; a directory that, packed, has the digest that the layer notes of its
--- content, which takes times of 1970 (push's default), modes that the umask left as they were, and
--- nothing else in the directory.
---
--- What has no title is called by what is known of it (a helm chart "NAME-VERSION.tgz", anything
--- else "sha256-HEX" with the ending of its media type) where nothing in the manifest has one.
---
--- `opts`: `outdir` ("."), `overwrite` (true; false leaves what is there), `keep_old_files` (true
--- refuses when something is there), `allowed_media_type` (one or a list), `filter(layer)`,
--- `only` (globs of names or media types, or digests; one or a list), `rename` (new names by old
--- ones, or by digest), `name(layer, title)` (another title; false leaves it out), `untitled` (true:
--- what has no title gets a name beside what has one; false: it never does), `dry_run` (tells what
--- would be written, writes nothing), `preserve_permissions` (modes as they were noted, whatever the
--- umask says, up to 0777), `unpack` (true: what says that it
--- is a packed directory; "all": every packed tar; false), `limits` of unpacking (`max_bytes`,
--- `max_entries`, `max_ratio`, `max_depth`), `links` (false refuses symbolic links in
--- directories; those that lead out of one are refused anyhow), `platform`, `config`
--- ("path[:media/type]" for the manifest's config), `include_subject`, `concurrency` (the
--- registry's, or 8), `durable`, `portable` (false takes titles that mean something else on
--- Windows, "a:b", and those that differ only in case, as names in directories may then, too).
---@param ref string|oras.Container
---@param opts? oras.PullOptions
---@return oras.Pulled[] files in the manifest's order; `files.skipped` lists what was not
--- written, with the reason
---@return oras.Descriptor descriptor of the manifest
--- Raises oras.Error not_found, path, exists, content, integrity, limit, io, ...
function Registry:pull(ref, opts) end

--- Store files as an artifact: each is a layer, by its title; a directory is packed.
---
--- `files`: a list of "path[:media/type]" or of tables with one of `path`, `data` (bytes) and
--- `reader` (a function that gives pieces, with `size` where it is known), and `title`,
--- `media_type`, `annotations`. The title of a path is the path relative to the working
--- directory; what is outside of it needs `disable_path_validation`.
---
--- `opts`: `artifact_type`, `config` (as a file), `annotations` (of the manifest) or
--- `annotation_file` (oras's JSON), `subject` (reference, descriptor or manifest), `platform`,
--- `created` (true, seconds or a time; by default only what SOURCE_DATE_EPOCH says, so that the
--- same push has the same digest), `tags` (more names), `untagged` (stored by its digest
--- alone), `image_spec` ("v1.0": the artifact's type is that of its config), `preserve_permissions`
--- (the modes of single files are noted, for pull), `compression` of directories ("gzip", "zstd",
--- "none"), `concurrency` (the registry's, or 8), `disable_path_validation`.
---@param ref string|oras.Container
---@param list (string|table)[]
---@param opts? oras.PushOptions
---@return oras.Descriptor descriptor of the manifest
---@return oras.Manifest
--- Raises oras.Error usage, path, io, content, auth, denied, ...
function Registry:push(ref, list, opts) end

--- Store a manifest or an index: bytes as they are, a manifest that was received as the bytes
--- that came, a table of one's own encoded, always in the same way.
---
--- It gets the reference's tag and `tags`; with a digest in the reference it is stored by that.
--- Where the registry has no referrers API, the tag that lists the referrers of its subject is
--- kept (not with `referrers = false`). `verify`: read back what was stored.
--- `part`: another manifest leads to it, so that a layout need not list it. `algorithm`: of its
--- digest where the reference has none, "sha256" (the default) or "sha512".
---@param ref string|oras.Container
---@param given string|table
---@param opts? oras.UploadManifestOptions
---@return oras.Descriptor descriptor mediaType, digest, size, artifactType
--- Raises oras.Error usage, integrity, content, auth, denied, limit, ...
function Registry:upload_manifest(ref, given, opts) end

--- Step of upload_manifest: one request that stores it under a tag or its digest.
---@param container oras.Container with that tag or digest
---@param out oras.Outgoing
---@param tags? string[] more tags, for registries that take them in the same request
---@return oras.Response whatever its status
function Registry:put_manifest(container, out, tags) end

--- Step of push: make a manifest (or, with `manifests`, an index) of descriptors. Without
--- config it gets the empty one, without layers one empty layer (image-spec, "Guidelines for
--- Artifact Usage"); the blob `{}` has to be uploaded then. In `image_spec` "v1.0" no layer is none.
---@param opts oras.PackManifestOptions config, layers or manifests, artifact_type, annotations, image_spec, subject, media_type
---@return oras.Manifest
---@return string bytes
--- Raises oras.Error usage
function Registry:pack_manifest(opts) end

--- How many requests a registry still allows, by its own words in the answer to a HEAD for a
--- manifest. Nil where it says nothing, and for a layout.
---@param ref string|oras.Container
---@return oras.Rate?
--- Raises oras.Error not_found, auth, denied, network, ...
function Registry:rate_limit(ref) end

--- Wait until a registry allows requests again: before each of many images, this keeps a script
--- within its limit instead of running into refusals. Returns at once where no limit is told.
---@param ref string|oras.Container
---@param opts? oras.WaitForRateOptions `least`: so many are needed (1); `max_wait`:
--- seconds in all, by default what the registry's window lasts
---@return oras.Rate? as it was in the end
--- Raises oras.Error rate when it would take longer; not_found, auth, network, ...
function Registry:wait_for_rate(ref, opts) end

--- Bring what a layout (a directory or a tar) has under its names to a registry, with what refers to it.
--- What is there is not sent again. What fails does not lose the others, and is raised at the end.
---@param path string
---@param ref? string|oras.Container a repository, with tags ("host/repo:a,b") only these; "host" or
--- "host/prefix/": the repositories that the names are of, there; nil: where they came from
---@param opts? oras.RestoreOptions
---@return oras.RestoreItem[]
--- Raises oras.Error not_found, auth, denied, content, ...; `failures` has what failed, `done` what is restored
function Registry:restore(path, ref, opts) end

--- The tags of a repository or layout, as they are listed.
---@param ref string|oras.Container
---@param opts? oras.TagsOptions
--- `N`: at most so many; `last`: those behind that tag; `filter`: a Lua pattern or function(tag)
---@return string[]
--- Raises oras.Error not_found, auth, limit, ...
function Registry:get_tags(ref, opts) end

--- Iterate over the tags, asking for pages as they are needed.
---@param ref string|oras.Container
---@param opts? oras.TagsOptions as for get_tags
---@return fun(): string? iterator
--- Raises oras.Error not_found, auth, limit, ...
function Registry:tags(ref, opts) end

--- Iterate over the repositories of a registry (an extension that many registries refuse).
---@param host? string the option `hostname` by default
---@param opts? oras.RepositoriesOptions
---@return fun(): string? iterator
--- Raises oras.Error auth, denied, unsupported, ...
function Registry:repositories(host, opts) end

--- Upload a blob, unless it is there.
---
--- `source`: a path, `{data = bytes}` or `{reader = function}` which gives strings and nil at
--- its end (with `size`, if it is known). `blob` says what it must be, and is filled in.
--- `mount_from`: a repository of the same registry that may have it, as a name or a reference.
--- `algorithm`: of its digest where none is given, "sha256" (the default) or "sha512".
---@param ref string|oras.Container
---@param source string|table
---@param blob? string|oras.Descriptor digest or descriptor
---@param opts? oras.UploadBlobOptions
---@return oras.Descriptor descriptor mediaType, digest, size, and what the one given says
---@return string done "exists", "mounted" or "uploaded"
--- Raises oras.Error io, content, usage, auth, denied, limit, integrity, redirect, network, ...
function Registry:upload_blob(ref, source, blob, opts) end

--- Step of an upload to a registry: open a session. With `mount` the blob is taken from the
--- repository `from`, if it is there; then the session is `mounted` and needs no bytes.
---@param container oras.Container
---@param opts? { mount?: string, from?: string, digest?: string, algorithm?: string } digest: for messages
---@return oras.Upload closable: cancelled unless it is over
--- Raises oras.Error protocol, redirect, denied, unsupported, ...
function Registry:start_upload(container, opts) end

--- Step of an upload: send all bytes and close the session.
---@param upload oras.Upload
---@param body oras.Body its digest is known
---@return oras.Response
function Registry:put_upload(upload, body) end

--- Step of an upload: send bytes and leave the session open. `part.from`: where they stand in
--- the value, `part.offset`: in the blob.
---@param upload oras.Upload
---@param value string|userdata
---@param part? { offset: integer, from: integer, size: integer } without it, everything
---@param progress? table
---@return oras.Response
function Registry:patch_upload(upload, value, part, progress) end

--- Step of an upload: send everything whose digest shows only at the end, then close.
---@param upload oras.Upload
---@param body oras.Body
---@return oras.Response of the request that failed, or of the last one
---@return boolean sent the body was taken
function Registry:stream_upload(upload, body) end

--- Step of an upload: send it in chunks, then close.
---@param upload oras.Upload
---@param body oras.Body
---@param chunk_size integer
---@return oras.Response? the last answer
---@return table? failure why the whole has to begin anew
function Registry:chunked_upload(upload, body, chunk_size) end

--- Step of an upload: close a session that has all bytes.
---@param upload oras.Upload
---@param digest string
---@return oras.Response
function Registry:finish_upload(upload, digest) end

--- Step of an upload: how many bytes the registry has; nil when it does not say.
---@param upload oras.Upload
---@param acknowledged integer what was known before
---@return integer? size
---@return oras.Response
function Registry:upload_status(upload, acknowledged) end

--- Step of an upload: end a session that will not be used, best effort.
---@param upload oras.Upload
function Registry:cancel_upload(upload) end

--- Compare the files in a directory with an artifact, as pull would write them there: by size and
--- digest. A directory that was unpacked is compared by the digest of its content and, where that is
--- another (times, modes), file by file with the layer, which is fetched for it. Nothing is written.
---
--- `opts`: `extra` (list what is there and not of the artifact), and of pull `only`, `rename`,
--- `untitled`, `name`, `filter`, `allowed_media_type`, `unpack`, `platform`, `config`,
--- `include_subject`, `portable`, `concurrency`.
---@param ref string|oras.Container
---@param dir string
---@param opts? oras.VerifyOptions
---@return oras.Verified[] result in the manifest's order; `result.ok` says whether all are the same,
--- `result.extra` lists paths, `result.skipped` what was not looked at
---@return oras.Descriptor descriptor of the manifest
--- Raises oras.Error not_found, content, io, path, integrity, ...
function Registry:verify(ref, dir, opts) end

--- Make an object.
---@generic T
---@param self T
---@param opts? oras.RegistryOptions a subclass adds its own in `Class.options`
---@return T
function Registry:new(opts) end

return Registry

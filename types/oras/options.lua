---@meta oras.options
--- Tables of options, and what is passed along: descriptors, files, sources.
--- Written by hand; tests/spec/types_spec.lua holds them against the tables that options are checked with.

---@class oras.Descriptor
---@field mediaType string
---@field digest string "sha256:..."
---@field size integer
---@field artifactType? string
---@field annotations? table<string, string>
---@field platform? oras.Platform
---@field urls? string[]
---@field data? string base64
---@field referrers? oras.Descriptor[] of what discover gives

---@class oras.File one of `path`, `data` and `reader`
---@field path? string a directory is packed
---@field data? string bytes
---@field reader? fun(): string? gives pieces, nil at the end
---@field size? integer of what the reader gives
---@field title? string by default the path, relative to the working directory
---@field media_type? string
---@field annotations? table<string, string>

---@class oras.RegistryOptions
---@field hostname? string registry of references without one: "host" or "host:port"
---@field plain_http? boolean http instead of https; by default so on a loopback
---@field insecure? boolean oras-py's word for plain_http
---@field tls_verify? boolean|string true, false, or the path of a file of CAs
---@field cert? string path of a client certificate
---@field key? string path of its key
---@field auth_backend? string|table "auto", "basic", "token", "ecr", "anonymous", or a scheme
---@field config_path? string|string[] files of credentials instead of the usual ones
---@field headers? table<string, string|string[]> sent to the registry with every request
---@field proxy? string
---@field resolve? table where hosts are, instead of what the name service says
---@field user_agent? string
---@field concurrency? integer of push, pull and copy
---@field timeout? oras.Timeouts in seconds
---@field retry? oras.RetryOptions
---@field limits? oras.Limits
---@field cache? string directory in which blobs and manifests are kept by digest
---@field dry_run? boolean nothing is changed; what would be is told to the watchers of "write"
---@field referrers? string "auto", "api" or "tag": how referrers are found
---@field upload_origins? string[] other origins to which a registry may send uploads

---@class oras.Timeouts
---@field connect? number
---@field first_byte? number until an answer begins
---@field stall? number without a byte
---@field total? number
---@field helper? number of a credential helper

---@class oras.RetryOptions
---@field tries? integer
---@field wait? number seconds before the second try; doubled for each one after
---@field max_wait? number
---@field max_retry_after? number what a registry may ask for at most
---@field budget? number seconds of waiting in all

---@class oras.Limits
---@field auth_rounds? integer
---@field blob? integer bytes of a blob held in memory
---@field graph? integer manifests that hang together, in a copy
---@field index_depth? integer
---@field json_depth? integer
---@field manifest? integer bytes of a manifest
---@field pages? integer of a list
---@field redirects? integer
---@field referrers_depth? integer
---@field tags? integer bytes of one page of tags

---@class oras.UnpackLimits
---@field max_bytes? integer
---@field max_depth? integer
---@field max_entries? integer
---@field max_ratio? integer unpacked bytes by packed ones

---@class oras.GetManifestOptions
---@field accept? string|string[] media types
---@field platform? string|oras.Platform "os/arch[/variant]": that manifest of an index
---@field max_bytes? integer

---@class oras.ResolveOptions
---@field platform? string|oras.Platform

---@class oras.GetBlobOptions
---@field head? boolean without the bytes
---@field range? integer[] first and last byte, inclusive
---@field stream? boolean bytes come while they arrive, and only as fast as they are read
---@field max_bytes? integer
---@field progress? table|boolean fields of the progress event; false: nothing is told
---@field sink? userdata of oras.core

---@class oras.DownloadOptions
---@field resume? boolean false: begin anew
---@field overwrite? boolean false: refuse what is there
---@field durable? boolean on disk before it appears
---@field mode? integer of the file, less the umask
---@field exact? boolean the mode as it is
---@field root? userdata of oras.core: the directory that `below` stands in
---@field below? string
---@field unpack? table how it is unpacked
---@field twin? string path of a file with the same content
---@field progress? table|boolean

---@class oras.TagsOptions
---@field N? integer at most so many
---@field last? string those behind that tag
---@field filter? string|fun(tag: string): boolean a Lua pattern, or a function
---@field exclude_digest_tags? boolean without the tags that stand for lists of referrers

---@class oras.RepositoriesOptions
---@field last? string those behind that one

---@class oras.UploadBlobOptions
---@field media_type? string
---@field chunked? boolean
---@field chunk_size? integer bytes
---@field mount_from? string|oras.Container a repository of the same registry that may have it
---@field algorithm? string "sha256" or "sha512"
---@field expect? string "present" or "absent": what is more probable
---@field prove_mount? boolean
---@field strict? boolean
---@field title? string for the progress event
---@field progress? table|boolean

---@class oras.UploadManifestOptions
---@field media_type? string
---@field tags? string|string[] more names
---@field subject? string|oras.Descriptor|oras.Manifest
---@field referrers? boolean false: the tag that lists referrers is not kept
---@field verify? boolean read back what was stored
---@field part? boolean another manifest leads to it
---@field algorithm? string "sha256" or "sha512"

---@class oras.PackManifestOptions
---@field artifact_type? string
---@field config? oras.Descriptor
---@field layers? oras.Descriptor[]
---@field manifests? oras.Descriptor[] makes an index
---@field annotations? table<string, string>
---@field subject? string|oras.Descriptor|oras.Manifest
---@field media_type? string
---@field image_spec? string "v1.0" or "v1.1"
---@field algorithm? string

---@class oras.PushOptions
---@field artifact_type? string
---@field config? string|oras.File "path[:media/type]", or a table like a file's
---@field annotations? table<string, string> of the manifest
---@field annotation_file? string path of oras's JSON
---@field subject? string|oras.Descriptor|oras.Manifest
---@field platform? string|oras.Platform
---@field created? boolean|integer|string true, seconds or a time
---@field tags? string[] more names
---@field untagged? boolean stored by its digest alone
---@field image_spec? string "v1.0": the artifact's type is that of its config
---@field preserve_permissions? boolean the modes of single files are noted, for pull
---@field compression? string of directories: "gzip", "zstd", "none"
---@field concurrency? integer
---@field disable_path_validation? boolean files outside of the working directory are fine
---@field algorithm? string of digests: "sha256" or "sha512"

---@class oras.AttachOptions : oras.PushOptions
---@field artifact_type string

---@class oras.PullOptions
---@field outdir? string "."
---@field overwrite? boolean false: leave what is there
---@field keep_old_files? boolean refuse when something is there
---@field allowed_media_type? string|string[]
---@field filter? fun(layer: oras.Descriptor): boolean
---@field only? string|string[] globs of names or media types, or digests
---@field rename? table<string, string> new names by old ones, or by digest
---@field name? fun(layer: oras.Descriptor, title: string): string|false another title; false leaves it out
---@field untitled? boolean what has no title gets a name, or never does
---@field dry_run? boolean tell what would be written
---@field preserve_permissions? boolean modes as they were noted
---@field unpack? boolean|string true: what says that it is a packed directory; "all": every packed tar
---@field limits? oras.UnpackLimits
---@field links? boolean false: refuse symbolic links in directories
---@field platform? string|oras.Platform
---@field config? string "path[:media/type]" for the manifest's config
---@field include_subject? boolean
---@field concurrency? integer
---@field durable? boolean
---@field portable? boolean false: take titles that mean something else on Windows

---@class oras.VerifyOptions
---@field extra? boolean list what is there and not of the artifact
---@field allowed_media_type? string|string[]
---@field filter? fun(layer: oras.Descriptor): boolean
---@field only? string|string[]
---@field rename? table<string, string>
---@field name? fun(layer: oras.Descriptor, title: string): string|false
---@field untitled? boolean
---@field unpack? boolean|string
---@field limits? oras.UnpackLimits
---@field links? boolean
---@field platform? string|oras.Platform
---@field config? string
---@field include_subject? boolean
---@field concurrency? integer
---@field portable? boolean

---@class oras.ReferrersOptions
---@field artifact_type? string
---@field annotations? table<string, string|true> a value by name, or true for any
---@field platform? string|oras.Platform

---@class oras.DiscoverOptions
---@field depth? integer so many levels
---@field artifact_type? string
---@field platform? string|oras.Platform

---@class oras.UntagOptions
---@field force? boolean also where other names go with it
---@field placeholder? boolean false: nothing of ours is put under the name for a moment

---@class oras.DeleteManifestOptions
---@field find_tags? boolean false: the names are not looked for

---@class oras.LoginOptions
---@field hostname? string the object's by default
---@field username? string
---@field password? string
---@field identity_token? string
---@field config_path? string|string[]

---@class oras.LogoutOptions
---@field config_path? string|string[]

---@class oras.WaitForRateOptions
---@field least? integer so many requests are needed
---@field max_wait? number seconds in all

---@class oras.RequestOptions
---@field headers? table<string, string|string[]>
---@field accept? string
---@field body? string|userdata
---@field body_offset? integer
---@field body_size? integer
---@field range? integer[] first and last byte, inclusive
---@field stream? boolean
---@field max_bytes? integer
---@field digest? string what the body of the answer must be
---@field size? integer
---@field sink? userdata of oras.core
---@field file? table fields of core.sink.file
---@field repository? string for tokens
---@field registry? string
---@field scope? string
---@field purpose? string
---@field from? any
---@field auth? boolean false: without credentials
---@field retry? boolean false: one try
---@field timeout? oras.Timeouts
---@field http2? boolean
---@field progress? table|boolean

---@class oras.ArchiveOptions
---@field packing? string
---@field max_bytes? integer
---@field max_depth? integer
---@field max_entries? integer
---@field max_ratio? integer

---@class oras.PackOptions
---@field compression? string "gzip", "zstd" or "none"
---@field level? integer
---@field prefix? string the tree's name in the archive
---@field mtime? integer seconds; -1: the files' own
---@field max_entries? integer
---@field overwrite? boolean
---@field durable? boolean

---@class oras.ExtractOptions
---@field packing? string
---@field media_type? string
---@field max_bytes? integer
---@field max_depth? integer
---@field max_entries? integer
---@field max_ratio? integer
---@field digest? string of the archive
---@field size? integer of the archive
---@field content_digest? string of the unpacked tar
---@field prefix? string what names begin with and lose
---@field links? boolean make symbolic links that stay inside
---@field any_case? boolean names may differ in case alone
---@field overwrite? boolean
---@field durable? boolean

---@class oras.LayerOptions
---@field title? string
---@field annotations? table<string, string>
---@field compression? string of a directory
---@field mtime? integer of a directory's entries
---@field prefix? string of a directory's entries

---@class oras.CollectOptions
---@field dry_run? boolean
---@field grace? number seconds that a blob is left alone after it was written
---@field untagged? boolean manifests without a name go, too

---@class oras.DecodeOptions
---@field max_bytes? integer
---@field max_depth? integer

---@class oras.EncodeOptions
---@field indent? integer
---@field max_depth? integer

---@class oras.EveryOptions
---@field count? integer so many runs
---@field jitter? number each run is up to so many seconds later, by chance
---@field utc? boolean of a cron text
---@field on_error? fun(err: oras.Error, number: integer): boolean? called with what a run raised; false ends all

---@class oras.MapOptions
---@field concurrency? integer 8

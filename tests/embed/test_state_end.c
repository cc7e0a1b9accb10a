/* SPDX-License-Identifier: MIT
 * The end of an attached runtime: by the host, by lua_close, in the middle of something; and
 * memory that runs out. What Lua still holds raises and never crashes. */
#include "lua_host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>

/* One of each kind of object, some in use, all kept in a global. */
static const char make_objects[] =
    "local oras, core = require 'oras', require 'oras.core'\n"
    "if kept then pcall(kept.lock.unlock, kept.lock) pcall(kept.index.unlock, kept.index) end\n"
    "local function body_of(digest_of)\n"
    "  local layout = core.layout.open 'examples/layout'\n"
    "  local digest = core.json.decode(layout:index(65536)).manifests[1].digest\n"
    "  return layout, digest\n"
    "end\n"
    "local layout, digest = body_of()\n"
    "kept = { oras = oras, core = core, client = oras.Registry:new(), http = core.client.new {},\n"
    "  layout = layout, memory = core.sink.memory {}, stream = core.sink.stream {},\n"
    "  discard = core.sink.discard {}, bytes = core.source.string 'abc',\n"
    "  file = core.source.file 'examples/layout/index.json', root = core.file.root 'examples',\n"
    "  hasher = core.digest.new(), secret = core.auth.basic('https://a.example', 'u', 'p'),\n"
    "  written = core.source.stream {}, pack = core.archive.pack { path = 'examples/layout' },\n"
    "  reader = core.archive.reader { path = 'examples/layout/index.json' },\n"
    "  lock = core.file.lock(folder .. '/lock'), index = layout:lock() }\n"
    "kept.pipe_in, kept.pipe_out = core.source.pipe {}\n"
    "kept.got = layout:fetch(digest, core.sink.memory {}).body\n"
    "kept.body = layout:fetch(digest, core.sink.stream {}).body\n"
    "kept.done = core.task.spawn(function() return 'done' end)\n"
    "kept.done:wait()\n"
    "kept.sleeping = core.task.spawn(function() core.clock.sleep(3600) end)\n"
    "kept.hashing = core.task.spawn(function() return kept.pack:hash() end)\n"
    "kept.writing = core.task.spawn(function()\n"
    "  while true do kept.written:write(('x'):rep(65536)) end end)\n"
    "kept.never = core.task.spawn(function() end)\n"
    "kept.listening = core.task.spawn(function()\n"
    "  return kept.http:request { url = 'http://127.0.0.1:1/v2/' } end)\n"
    "kept.process = core.task.spawn(function()\n"
    "  return core.process.run { file = 'sleep', args = { '60' } } end)\n"
    "core.clock.sleep(0)\n";

/* Every method of each of them, and every function of oras.core, with all sorts of arguments. */
static const char use_objects[] =
    "local raised = 0\n"
    "local function try(fn, ...)\n"
    "  local ok, err = pcall(fn, ...)\n"
    "  if not ok and type(err) == 'table' then\n"
    "    assert(err.class == 'usage' or err.class == 'cancelled', err.message)\n"
    "    if err.message == 'the runtime is closed' then raised = raised + 1 end\n"
    "  end\n"
    "  return ok\n"
    "end\n"
    "local digest = 'sha256:' .. ('0'):rep(64)\n"
    "local lists = { {}, { digest }, { {} }, { 'examples/layout' }, { 1 }, { kept.memory },\n"
    "  { digest, kept.stream }, { { url = 'http://127.0.0.1:1/', path = 'examples/layout' } } }\n"
    "local function all(t, self)\n"
    "  for name, fn in pairs(t) do\n"
    "    for _, list in ipairs(lists) do\n"
    "      if type(fn) == 'function' and self then try(fn, self, table.unpack(list))\n"
    "      elseif type(fn) == 'function' and name ~= 'prompt' then try(fn, table.unpack(list))\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "end\n"
    "for name, object in pairs(kept) do\n"
    "  local meta = type(object) == 'userdata' and debug.getmetatable(object)\n"
    "  if meta then all(meta.__index, object) try(function() return #object, tostring(object) end) "
    "end\n"
    "end\n"
    "for _, t in pairs(kept.core) do if type(t) == 'table' then all(t) end end\n"
    "for _, object in pairs { 'body', 'got', 'layout', 'http', 'file', 'written', 'reader' } do\n"
    "  assert(not try(function()\n"
    "    local o = kept[object]\n"
    "    return (o.read or o.request or o.index or o.hash or o.next)(o, 100, {})\n"
    "  end), object)\n"
    "end\n"
    "assert(not try(function() kept.client:get_tags 'oci:examples/layout' end))\n"
    "assert(not try(function() kept.client:get_tags '127.0.0.1:1/x' end))\n"
    "assert(not try(kept.done.wait, kept.done))\n"
    "assert(not try(kept.sleeping.wait, kept.sleeping))\n"
    "assert(not try(function() kept.oras.spawn(print) end))\n";

static void test_kept_objects_raise(void **state)
{
    (void)state;
    run_in(host, make_objects);
    oras_runtime_free(rt);
    run_in(host, use_objects);
    run_in(host,
           "local ok, err = pcall(function() kept.client:get_tags 'oci:examples/layout' end)\n"
           "assert(tostring(err):find('the runtime is closed', 1, true))\n"
           "assert(not ok and err.class == 'usage')\n"
           "assert(err.message == 'the runtime is closed', err.message)\n"
           "ok, err = pcall(function() kept.oras.spawn(print) end)\n"
           "assert(not ok and err.message == 'the runtime is closed')\n"
           "assert(not pcall(require, 'oras'))");
}

static void test_attaching_again_works(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        run_in(host, make_objects);
        oras_runtime_free(rt);
        rt = attach(host);
        run_in(host, "for _, name in pairs { 'http', 'layout', 'body', 'done', 'sleeping' } do\n"
                     "  local o = kept[name]\n"
                     "  assert(not pcall(o.request or o.index or o.read or o.wait, o, 100, {}))\n"
                     "end\n"
                     "assert(require 'oras' ~= kept.oras)\n"
                     "assert(require 'oras'.Registry:new():get_tags 'oci:examples/layout')");
    }
    run_in(host, "assert(not pcall(kept.body.read, kept.body))");
}

/* --- in the middle of a transfer ------------------------------------------------------------ */

/* A registry that begins every answer and ends none, until it is closed. */
static void *serve(void *ud)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nsome bytes";
    int connections[64], n = 0, fd, listening = *(int *)ud;

    while (n < 64 && (fd = accept(listening, NULL, NULL)) >= 0) {
        connections[n++] = fd;
        (void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    }
    while (n > 0)
        close(connections[--n]);
    return NULL;
}

static int listen_here(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static const char begin_transfers[] =
    "local core = require 'oras.core'\n"
    "local http, source = core.client.new {}, core.source.stream {}\n"
    "local function get(spec)\n"
    "  spec.url = url\n"
    "  return http:request(spec)\n"
    "end\n"
    "kept = { http = http, source = source, body = get({ sink = core.sink.stream {} }).body }\n"
    "assert(kept.body:read() == 'some bytes')\n"
    "kept.reading = core.task.spawn(function() return kept.body:read() end)\n"
    "kept.getting = core.task.spawn(get, { sink = core.sink.memory {} })\n"
    "kept.into = core.sink.file { path = folder .. '/echo.lua' }\n"
    "kept.filing = core.task.spawn(get, { sink = kept.into })\n"
    "kept.sending = core.task.spawn(get, { method = 'PUT', body = source })\n"
    "kept.co = coroutine.wrap(function()\n"
    "  return get { progress = function() coroutine.yield 'moved' end }\n"
    "end)\n"
    "assert(kept.co() == 'moved')\n"
    "core.clock.sleep(0)\n";

static void test_transfers_that_run(void **state)
{
    pthread_t server;
    int port, listening = listen_here(&port);

    assert_int_equal(pthread_create(&server, NULL, serve, &listening), 0);
    for (int i = 0; i < 3; i++) {
        lua_pushfstring(host, "http://127.0.0.1:%d/", port);
        lua_setglobal(host, "url");
        run_in(host, begin_transfers);
        oras_runtime_free(rt);
        if (i == 1)
            rt = attach(host);
        run_in(host,
               "for name, use in pairs { body = 'read', http = 'request', co = 'call',\n"
               "  source = 'write', reading = 'wait', getting = 'wait', filing = 'wait' } do\n"
               "  local ok, err = pcall(use == 'call' and kept.co or kept[name][use], kept[name], "
               "{ url = url })\n"
               "  assert(not ok, name)\n"
               "end\n"
               "collectgarbage()");
        if (i != 1)
            rt = attach(host);
    }
    run_in(host, begin_transfers);
    close_host(state);
    shutdown(listening, SHUT_RDWR);
    pthread_join(server, NULL);
    close(listening);
}

static int count_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void test_lua_close_leaves_nothing_open(void **state)
{
    int before;

    close_host(state);
    before = count_descriptors();
    for (int i = 0; i < 3; i++) {
        open_host(state);
        if (i == 1) { /* what was made before attach outlives what attach made */
            lua_close(host);
            host = luaL_newstate();
            luaL_openlibs(host);
            lua_pushstring(host, folder);
            lua_setglobal(host, "folder");
            luaL_requiref(host, "oras", luaopen_oras, 0);
            run_in(host, make_objects);
            rt = attach(host);
        }
        run_in(host, make_objects);
        if (i == 2)
            oras_runtime_free(rt);
        close_host(state);
        assert_int_equal(count_descriptors(), before);
    }
}

static oras_call *spawn(const char *text)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *call = NULL;

    push_function(host, text);
    if (oras_lua_spawn(rt, 0, &call, &err))
        fail_msg("%s", err.message);
    return call;
}

static void test_calls_that_run_or_are_done(void **state)
{
    oras_error err = ORAS_ERROR_INIT;
    oras_call *done = spawn("return 1, 2");
    char *json = NULL;

    (void)state;
    finish(done);
    spawn("require 'oras.core'.clock.sleep(3600)"); /* its handle goes with the runtime */
    oras_step(rt, NULL, NULL);
    oras_runtime_free(rt);
    assert_int_equal(oras_lua_results(done, host), 0);
    assert_int_equal(oras_call_result(done, &json, &err), ORAS_EINVALID);
    assert_string_equal(err.message, "the runtime is closed");
    oras_call_free(done);
    rt = attach(host);
    done = spawn("return 1");
    finish(done);
    close_host(state);
    assert_int_equal(oras_lua_results(done, NULL), 0);
    oras_call_free(done);
}

/* --- from the inside ------------------------------------------------------------------------ */

static int free_it(lua_State *L)
{
    (void)L;
    oras_runtime_free(rt);
    return 0;
}

static void test_freed_from_the_inside(void **state)
{
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    lua_register(host, "free_it", free_it);
    push_function(host, "local core = require 'oras.core'\n"
                        "kept = core.client.new {}\n"
                        "free_it()\n"
                        "pcall(core.clock.sleep, 3600)\n"
                        "while true do kept:request { url = 'http://127.0.0.1:1/' } end");
    assert_int_equal(oras_lua_pcall(rt, 0, 0, &err), ORAS_ECANCELED);
    run_in(host, "local ok, err = pcall(function() require 'oras'.spawn(print) end)\n"
                 "assert(not ok and tostring(err):find('the runtime is closed', 1, true))");
    rt = attach(host);
    run_in(host, "assert(require 'oras'.spawn(function() return 1 end):wait() == 1)\n"
                 "assert(not pcall(kept.request, kept, { url = 'http://127.0.0.1:1/' }))");
    run_in(host, "local core = require 'oras.core'\n" /* a task, in nobody's call */
                 "local t = core.task.spawn(function() free_it() core.clock.sleep(3600) end)\n"
                 "assert(not pcall(t.wait, t))\n"
                 "assert(not pcall(core.clock.sleep, 0))");
    rt = attach(host);
    run_in(host, "assert(require 'oras'.spawn(function() return 1 end):wait() == 1)");
}

static int free_on_progress(void *ud, const oras_progress *progress)
{
    (void)ud;
    (void)progress;
    oras_runtime_free(rt);
    return 0;
}

static void test_freed_by_a_callback(void **state)
{
    oras_options opts = ORAS_OPTIONS_INIT;
    oras_error err = ORAS_ERROR_INIT;

    (void)state;
    oras_runtime_free(rt);
    opts.progress = free_on_progress;
    assert_int_equal(oras_lua_attach(host, &opts, &rt, &err), ORAS_OK);
    run_in(host, "local core = require 'oras.core'\n"
                 "local ok, err = pcall(core.clock.sleep, 3600)\n"
                 "assert(not ok and err.class == 'cancelled', err)\n"
                 "ok, err = pcall(core.clock.sleep, 3600)\n"
                 "assert(not ok and err.class == 'usage', err)");
    close_host(state);
}

/* --- memory --------------------------------------------------------------------------------- */

static size_t left, live;

/* The host's own: of its state, and of what the library has beside it. */
static void *resize(void *ud, void *ptr, size_t size)
{
    (void)ud;
    if (size == 0) {
        free(ptr);
        live -= ptr != NULL;
        return NULL;
    }
    if (left == 0)
        return NULL;
    left--;
    live += ptr == NULL;
    return realloc(ptr, size);
}

static void *lua_resize(void *ud, void *ptr, size_t old_size, size_t size)
{
    if (ptr && size && size <= old_size)
        left++; /* Lua is promised that this works */
    return resize(ud, ptr, size);
}

/* One way through; 0 or the first failure. */
static oras_code go_through(lua_State *L, oras_error *err)
{
    oras_call *call = NULL;
    oras_code code = oras_lua_attach(L, NULL, &rt, err);

    if (code)
        return code;
    code = oras_lua_load(rt, "conda", err);
    if (!code) {
        lua_settop(L, 0);
        lua_getglobal(L, "work");
        code = oras_lua_spawn(rt, 0, &call, err);
    }
    while (!code && !oras_call_done(call))
        code = oras_step(rt, NULL, err);
    if (!code)
        code = oras_call_result(call, NULL, err);
    if (!code && (oras_lua_results(call, L) != 1 || !lua_toboolean(L, -1)))
        fail_msg("no result");
    oras_call_free(call);
    lua_settop(L, 0);
    oras_runtime_free(rt);
    return code;
}

static void test_every_allocation_may_fail(void **state)
{
    const oras_allocator allocator = {resize, NULL};
    oras_error err = ORAS_ERROR_INIT;
    size_t before, step = 1;
    int failures = 0;

    left = SIZE_MAX / 2;
    assert_int_equal(oras_global_init(&allocator, &err), ORAS_OK);
    host = lua_newstate(lua_resize, NULL);
    luaL_openlibs(host);
    run_in(host, "function work() return require 'oras'.Registry:new()"
                 ":get_tags 'oci:examples/layout' end");
    assert_int_equal(go_through(host, &err), ORAS_OK);
    for (size_t n = 0;; n += step) {
        left = n;
        if (go_through(host, &err) == ORAS_OK)
            break;
        if (err.code != ORAS_ENOMEM)
            fail_msg("allocation %zu: %s: %s", n, err.class_name, err.message);
        left = SIZE_MAX / 2;
        assert_int_equal(lua_gettop(host), 0);
        lua_gc(host, LUA_GCCOLLECT);
        failures++;
        step = n < 1500 ? 1 : 23;
    }
    assert_true(failures > 300);
    left = SIZE_MAX / 2;
    assert_int_equal(go_through(host, &err), ORAS_OK);
    lua_close(host);
    before = live;
    host = lua_newstate(lua_resize, NULL);
    luaL_openlibs(host);
    run_in(host, "function work() return true end");
    assert_int_equal(go_through(host, &err), ORAS_OK);
    close_host(state);
    assert_int_equal(live, before);
}

int main(void)
{
#define HOST(test) cmocka_unit_test_setup_teardown(test, open_host, close_host)
    const struct CMUnitTest tests[] = {
        HOST(test_kept_objects_raise),         HOST(test_attaching_again_works),
        HOST(test_transfers_that_run),         HOST(test_lua_close_leaves_nothing_open),
        HOST(test_calls_that_run_or_are_done), HOST(test_freed_from_the_inside),
        HOST(test_freed_by_a_callback),
    };
    const struct CMUnitTest of_memory[] = {cmocka_unit_test(test_every_allocation_may_fail)};

    /* memory first: an allocator comes before all else */
    return cmocka_run_group_tests(of_memory, NULL, NULL) +
           cmocka_run_group_tests(tests, make_folder, remove_folder);
}

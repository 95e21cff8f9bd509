/* A server of HTTP on libevent's evhttp: a text, the same from a worker thread, a body that comes back, and JSON-RPC with one
 * method, whose result is its parameters. Calls are only looked through, not parsed: less could not be done about them. */

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct span {
    const char *start;
    const char *end;
};

static int is(struct span span, const char *text) {
    size_t length = strlen(text);
    return (size_t)(span.end - span.start) == length && memcmp(span.start, text, length) == 0;
}

static const char *skip_spaces(struct span rest) {
    while (rest.start < rest.end && strchr(" \t\r\n", *rest.start) != NULL)
        rest.start++;
    return rest.start;
}

/* The JSON value at the beginning of what is left: up to the comma or bracket behind it. */
static struct span value(struct span rest) {
    struct span found;
    int depth = 0;
    found.start = found.end = skip_spaces(rest);
    for (; found.end < rest.end; found.end++) {
        char c = *found.end;
        if (c == '"') {
            for (found.end++; found.end < rest.end && *found.end != '"'; found.end++) {
                if (*found.end == '\\')
                    found.end++;
            }
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (depth == 0 && (c == ',' || c == ']' || c == '}' || c == ':')) {
            break;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    /* A string that does not end. */
    if (found.end > rest.end)
        found.end = rest.end;
    return found;
}

static void json(struct evhttp_request *request, int status, const char *reason) {
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/json");
    evhttp_send_reply(request, status, reason, NULL);
}

static void put(struct evbuffer *to, const char *text) {
    evbuffer_add(to, text, strlen(text));
}

static void on_rpc(struct evhttp_request *request, void *authorization) {
    struct evkeyvalq *headers = evhttp_request_get_input_headers(request);
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    struct evbuffer *output = evhttp_request_get_output_buffer(request);
    struct span rest, method = {0, 0}, params = {0, 0}, id = {0, 0};
    const char *given = evhttp_find_header(headers, "Authorization");

    if (evhttp_request_get_command(request) != EVHTTP_REQ_POST) {
        evhttp_send_error(request, HTTP_BADMETHOD, NULL);
        return;
    }
    if (given == NULL || strcmp(given, authorization) != 0) {
        evhttp_add_header(evhttp_request_get_output_headers(request), "WWW-Authenticate", "Basic realm=\"jsonrpc\"");
        evhttp_send_reply(request, 401, "Unauthorized", NULL);
        return;
    }
    rest.start = (const char *)evbuffer_pullup(input, -1);
    rest.end = rest.start + evbuffer_get_length(input);
    rest.start = skip_spaces(rest);
    while (rest.start < rest.end && (*rest.start == '{' || *rest.start == ',')) {
        struct span name, of;
        rest.start++;
        name = value(rest);
        rest.start = name.end;
        if (rest.start == rest.end || *rest.start != ':')
            break;
        rest.start++;
        of = value(rest);
        rest.start = of.end;
        if (is(name, "\"method\""))
            method = of;
        else if (is(name, "\"params\""))
            params = of;
        else if (is(name, "\"id\""))
            id = of;
    }
    if (!is(method, "\"echo\"") || params.start == params.end || id.start == id.end) {
        put(output, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid request\"},\"id\":null}");
        json(request, 400, "Bad Request");
        return;
    }
    put(output, "{\"jsonrpc\":\"2.0\",\"result\":");
    evbuffer_add(output, params.start, (size_t)(params.end - params.start));
    put(output, ",\"id\":");
    evbuffer_add(output, id.start, (size_t)(id.end - id.start));
    put(output, "}");
    json(request, HTTP_OK, "OK");
}

static void on_hello(struct evhttp_request *request, void *text) {
    put(evhttp_request_get_output_buffer(request), text);
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "text/plain; charset=utf-8");
    evhttp_send_reply(request, HTTP_OK, "OK", NULL);
}

static void on_echo(struct evhttp_request *request, void *unused) {
    (void)unused;
    /* Moves the memory, does not copy it. */
    evbuffer_add_buffer(evhttp_request_get_output_buffer(request), evhttp_request_get_input_buffer(request));
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", "application/octet-stream");
    evhttp_send_reply(request, HTTP_OK, "OK", NULL);
}

/* A request that a worker is to answer. No client of this server goes away while it waits for one. */
struct job {
    struct evhttp_request *request;
    struct job *next;
};

/* A queue, which is taken as a whole; whose turn it is within it does not matter here. */
struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct job *first;
};

static struct queue waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};
static struct queue done = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL};
/* Becomes readable when there is something in `done`. */
static int wake = -1;

static void push(struct queue *queue, struct job *job) {
    pthread_mutex_lock(&queue->lock);
    job->next = queue->first;
    queue->first = job;
    pthread_cond_signal(&queue->filled);
    pthread_mutex_unlock(&queue->lock);
}

static struct job *take(struct queue *queue, int wait) {
    struct job *all;
    pthread_mutex_lock(&queue->lock);
    while (wait && queue->first == NULL)
        pthread_cond_wait(&queue->filled, &queue->lock);
    all = queue->first;
    queue->first = NULL;
    pthread_mutex_unlock(&queue->lock);
    return all;
}

static void *work(void *unused) {
    const uint64_t one = 1;
    for (;;) {
        struct job *job = take(&waiting, 1);
        while (job != NULL) {
            struct job *next = job->next;
            push(&done, job);
            /* It is not full before it has been written to for some centuries. */
            if (write(wake, &one, sizeof one) < 0)
                abort();
            job = next;
        }
    }
    return unused;
}

static void on_worker(struct evhttp_request *request, void *unused) {
    struct job *job = malloc(sizeof *job);
    (void)unused;
    if (job == NULL)
        abort();
    job->request = request;
    push(&waiting, job);
}

static void on_done(evutil_socket_t counter, short what, void *text) {
    uint64_t count;
    struct job *job;
    (void)what;
    if (read(counter, &count, sizeof count) < 0)
        return;
    job = take(&done, 0);
    while (job != NULL) {
        struct job *next = job->next;
        on_hello(job->request, text);
        free(job);
        job = next;
    }
}

const char *sockman_bench_libevent_version(void) {
    return event_get_version();
}

/* Serves the connections of a listening socket, which becomes the server's own. Returns only when it cannot. The strings are
 * what is answered to GET /hello, and what the header Authorization must be. SIGPIPE must be ignored, which Rust's runtime
 * sees to. */
int sockman_bench_evhttp(int listener, char *text, char *authorization) {
    struct event_config *config = event_config_new();
    struct event_base *base;
    struct evhttp *http;
    struct event *woken;
    pthread_t worker;

    if (config == NULL)
        return -1;
    /* One thread needs no locks, and each changes its descriptors once a turn. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
    base = event_base_new_with_config(config);
    event_config_free(config);
    if (base == NULL || (http = evhttp_new(base)) == NULL)
        return -1;
    /* The worker touches nothing of libevent's, so that its locks can stay away. */
    wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    woken = event_new(base, wake, EV_READ | EV_PERSIST, on_done, text);
    if (wake < 0 || woken == NULL || event_add(woken, NULL) != 0 || pthread_create(&worker, NULL, work, NULL) != 0)
        return -1;
    evhttp_set_cb(http, "/worker", on_worker, NULL);
    evhttp_set_cb(http, "/hello", on_hello, text);
    evhttp_set_cb(http, "/echo", on_echo, NULL);
    evhttp_set_cb(http, "/", on_rpc, authorization);
    if (evhttp_accept_socket(http, listener) != 0)
        return -1;
    return event_base_dispatch(base);
}

/* An echo server on libuv: one read and one write per message, a share of the wait, and no memory but a connection's own
 * handle as long as the kernel takes what is written. */

#include <stdlib.h>
#include <string.h>
#include <uv.h>

/* What libuv suggests for reads from streams, and as much as the other servers read at once. */
#define BUFFER (64 * 1024)

struct server {
    uv_loop_t loop;
    uv_tcp_t listener;
    /* Every read goes here: what is in it is written or copied before the callback returns. */
    char buffer[BUFFER];
};

struct client {
    uv_tcp_t tcp;
    uv_write_t write;
    /* The rest of an echo that the kernel did not take at once; nothing is read until it has. */
    char *rest;
};

static void on_readable(uv_stream_t *stream, ssize_t count, const uv_buf_t *received);

static void *allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL)
        abort();
    return memory;
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void close_client(struct client *client) {
    uv_close((uv_handle_t *)&client->tcp, on_closed);
}

static void lend_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct server *server = handle->loop->data;
    (void)suggested;
    *buffer = uv_buf_init(server->buffer, BUFFER);
}

/* A write is pending only while reading is stopped, and only these two callbacks close: so a client is closed once. */
static void on_written(uv_write_t *request, int status) {
    struct client *client = request->handle->data;
    free(client->rest);
    client->rest = NULL;
    if (status < 0 || uv_read_start(request->handle, lend_buffer, on_readable) < 0)
        close_client(client);
}

static void on_readable(uv_stream_t *stream, ssize_t count, const uv_buf_t *received) {
    struct client *client = stream->data;
    uv_buf_t echo;
    int written;

    if (count == 0)
        return; /* EAGAIN, says libuv */
    if (count < 0) {
        close_client(client);
        return;
    }
    echo = uv_buf_init(received->base, (unsigned int)count);
    written = uv_try_write(stream, &echo, 1);
    if (written == count)
        return;
    if (written == UV_EAGAIN)
        written = 0;
    if (written < 0) {
        close_client(client);
        return;
    }
    uv_read_stop(stream);
    echo.len = (size_t)(count - written);
    client->rest = allocate(echo.len);
    memcpy(client->rest, received->base + written, echo.len);
    echo.base = client->rest;
    if (uv_write(&client->write, stream, &echo, 1, on_written) < 0) {
        free(client->rest);
        close_client(client);
    }
}

static void on_connection(uv_stream_t *listener, int status) {
    struct client *client;

    if (status < 0)
        return; /* libuv goes on listening */
    client = allocate(sizeof *client);
    /* Cannot fail: without a family it makes no socket. */
    uv_tcp_init(listener->loop, &client->tcp);
    client->tcp.data = client;
    client->rest = NULL;
    if (uv_accept(listener, (uv_stream_t *)&client->tcp) < 0 || uv_tcp_nodelay(&client->tcp, 1) < 0 ||
        uv_read_start((uv_stream_t *)&client->tcp, lend_buffer, on_readable) < 0)
        close_client(client);
}

/* Serves the connections of a bound socket, which becomes the loop's own. Returns only when it cannot, with libuv's code.
 * SIGPIPE must be ignored, which Rust's runtime sees to. */
int sockman_bench_libuv_echo(int listener, int backlog) {
    struct server server;
    int error = uv_loop_init(&server.loop);
    if (error < 0)
        return error;
    server.loop.data = &server;
    uv_tcp_init(&server.loop, &server.listener);
    if ((error = uv_tcp_open(&server.listener, listener)) < 0 ||
        (error = uv_listen((uv_stream_t *)&server.listener, backlog, on_connection)) < 0)
        return error;
    return uv_run(&server.loop, UV_RUN_DEFAULT);
}

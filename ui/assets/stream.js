// One stream brings the page what the server has to say; Gradio ends it (close_stream) when every event has its answer.
// Its client can hear of that end only after a new event was accepted: it then waits on a stream that is no more, and a
// question sent in that moment is never answered. Here the end is held back until no event is under way, and where one
// is, the stream goes on with the next one of the server.
(() => {
  "use strict";
  const plain = window.fetch.bind(window);
  const joining = new Set(); // events sent, of which the server has not said yet that it has them
  const open = new Set(); // events it has, whose end has not come
  const early = new Set(); // events whose end came before the word that the server has them

  function joined(answer) {
    const told = answer
      .then((response) => (response.ok ? response.clone().json() : {}))
      .then(({ event_id: event }) => { if (event && !early.delete(event)) open.add(event); })
      .catch(() => {}) // Gradio's client sees the same error and says so
      .finally(() => joining.delete(told));
    joining.add(told);
    return answer;
  }

  function closes(message) {
    if (!message.startsWith("data:")) return false;
    const { msg, event_id: event } = JSON.parse(message.slice("data:".length));
    if (msg === "process_completed" && event && !open.delete(event)) early.add(event);
    return msg === "close_stream";
  }

  async function pour(request, response, writer) {
    let rest = "";
    for (const reader = response.body.pipeThrough(new TextDecoderStream()).getReader(); ;) {
      const { value, done } = await reader.read();
      if (done) { if (rest) await writer.write(rest); return; }
      const messages = (rest + value).split("\n\n");
      rest = messages.pop();
      for (const message of messages) {
        if (closes(message)) {
          await Promise.all(joining);
          const next = open.size ? await plain(request.clone()) : null;
          if (next?.ok) return pour(request, next, writer);
        }
        await writer.write(`${message}\n\n`);
      }
    }
  }

  // Gradio ends the stream itself when the page is left, and would then say that the connection broke, for as long as
  // the page still stands: a stream ended by its own reader ends without a complaint.
  async function streamed(request) {
    let response;
    try {
      response = await plain(request.clone());
    } catch (problem) {
      if (request.signal.aborted) return new Response("", { headers: { "content-type": "text/event-stream" } });
      throw problem;
    }
    if (!response.ok) return response;
    const { readable, writable } = new TextEncoderStream();
    const writer = writable.getWriter();
    const broke = (problem) => (request.signal.aborted ? writer.close() : writer.abort(problem));
    pour(request, response, writer).then(() => writer.close(), broke).catch(() => {});
    return new Response(readable, { status: response.status, headers: response.headers });
  }

  // A login that has ended shows in the first answer after it: the person logs in again and comes back here.
  async function known(answering) {
    const answer = await answering;
    if (answer.status === 401 && new URL(answer.url).origin === window.location.origin) {
      const { pathname, search } = window.location;
      window.location.assign(`${pathname.replace(/[^/]*$/, "")}login?next=${encodeURIComponent(`/${search}`)}`);
    }
    return answer;
  }

  window.fetch = (input, init) => {
    const { pathname } = new URL(input.url ?? input, window.location);
    if (pathname.endsWith("/queue/join")) return joined(known(plain(input, init)));
    if (pathname.endsWith("/queue/data")) return streamed(new Request(input, init));
    return known(plain(input, init));
  };
})();

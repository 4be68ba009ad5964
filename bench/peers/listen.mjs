// Serves on a free port of this machine, on Node or on Bun.
export const isBun = 'Bun' in globalThis;

/** Calls `ready` with the URL once requests are answered. */
export async function listen(fetch, ready) {
  const tell = (port) => ready(`http://127.0.0.1:${port}`);
  if (isBun) {
    tell(Bun.serve({ hostname: '127.0.0.1', port: 0, fetch }).port);
  } else {
    const { serve } = await import('@hono/node-server');
    serve({ fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => tell(port));
  }
}

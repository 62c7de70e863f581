/** How much of each kind a device has made and not destroyed. */

export type Counts = Readonly<Record<string, number>>;

/** Under which a process has a function that gives the counts of its WebGL. */
export const counts = Symbol.for("fluxion.test.counts");

/** Buffers of WebGPU, from now on. */
export function countBuffers(device: GPUDevice): () => Counts {
  const live = new Set<GPUBuffer>();
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    live.add(buffer);
    buffer.destroy = () => {
      live.delete(buffer);
      return destroy();
    };
    return buffer;
  };
  return () => ({ Buffer: live.size });
}

export interface CountedContext {
  readonly gl: WebGL2RenderingContext;
  readonly counts: () => Counts;
}

/** A context whose textures, buffers, framebuffers, shaders, programs and fences are counted. */
export function countedContext(context: WebGL2RenderingContext): CountedContext {
  const live = new Map<string, Set<unknown>>();
  const of = (kind: string): Set<unknown> => {
    const known = live.get(kind) ?? new Set();
    live.set(kind, known);
    return known;
  };
  const gl = new Proxy(context, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof name !== "string" || typeof value !== "function") return value;
      const method = value.bind(target) as (...args: unknown[]) => unknown;
      const [, verb, kind = ""] = /^(create|delete)(\w+)$/.exec(name) ?? [];
      if (verb === "delete") {
        return (object: unknown) => {
          of(kind).delete(object);
          return method(object);
        };
      }
      if (verb !== "create" && name !== "fenceSync") return method;
      return (...args: unknown[]) => {
        const object = method(...args);
        of(verb === "create" ? kind : "Sync").add(object);
        return object;
      };
    },
  });
  const all = (): Counts =>
    Object.fromEntries(Array.from(live, ([kind, objects]) => [kind, objects.size]));
  return { gl, counts: all };
}

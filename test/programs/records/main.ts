import { compile } from "fluxion";

interface Body {
  readonly position: number;
  readonly velocity: number;
}
type State = { a: Body; b: Body; time: number };

const step = (state: State, dt: number): State => {
  const { a, b, time } = state;
  const force = b.position - a.position;
  const move = (body: Body, sign: number) => {
    const velocity = body.velocity + sign * force * dt;
    return { position: body.position + velocity * dt, velocity };
  };
  return { ...state, a: move(a, 1), b: move(b, -1), time: time + dt };
};

const simulate = (start: State, steps: number) => {
  let state = start;
  for (let i = 0; i < steps; i++) state = step(state, 0.1);
  const counter = { hits: 0, last: { value: 0 } };
  for (let i = 0; i < steps; i++) {
    if (i % 3 === 0) {
      counter.hits++;
      counter.last.value = i;
    }
  }
  return { state, counter };
};
const compiled = compile(simulate);

export const main = () =>
  compiled({ a: { position: 0, velocity: 0 }, b: { position: 1, velocity: 0.5 }, time: 0 }, 20);

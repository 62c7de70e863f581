/**
 * Reads the text form that `print.ts` writes. Types are taken as they stand; the checker compares
 * them with the rules.
 */

import {
  createToken,
  EmbeddedActionsParser,
  EOF,
  type IParserErrorMessageProvider,
  type IToken,
  Lexer,
  type TokenType,
  tokenMatcher,
} from "chevrotain";
import { addDims, divideDim, multiplyDims, subtractDims, symbol } from "./dim.ts";
import {
  type Block,
  type Dim,
  type DType,
  dtypes,
  type Equation,
  type Fn,
  type Graph,
  type Parameter,
  type Value,
  type ValueType,
} from "./types.ts";

/** What is wrong with a text, and where: line and column count from 1. */
export class ParseFault extends Error {
  readonly line: number;
  readonly column: number;

  constructor(sentence: string, line: number, column: number) {
    super(`${line}:${column}: ${sentence}`);
    this.name = "ParseFault";
    this.line = line;
    this.column = column;
  }
}

/** The single function of a text. */
export function parseFunction(text: string): Fn {
  const functions = parse(text);
  const [fn, second] = functions;
  if (fn === undefined) throw new ParseFault("there is no function", 1, 1);
  if (second !== undefined)
    throw faultAt(second.name, "one function is expected, and this is a second");
  return resolveFunction(fn);
}

/** The functions of a text; the first one is the root. */
export function parseGraph(text: string): Graph {
  const functions = new Map<string, Fn>();
  for (const syntax of parse(text)) {
    const fn = resolveFunction(syntax);
    if (functions.has(fn.name)) throw faultAt(syntax.name, `@${fn.name} is defined twice`);
    functions.set(fn.name, fn);
  }
  const [root] = functions.keys();
  if (root === undefined) throw new ParseFault("there is no function", 1, 1);
  return { root, functions };
}

// Tokens

const name = createToken({
  name: "a name",
  pattern: /[A-Za-z_$\u0080-\uffff][\w$.#'\u0080-\uffff]*/,
});
const word = (text: string): TokenType =>
  createToken({ name: `'${text}'`, pattern: new RegExp(text), longer_alt: name });
const mark = (text: string): TokenType => createToken({ name: `'${text}'`, pattern: text });

const spaces = createToken({ name: "spaces", pattern: /\s+/, group: Lexer.SKIPPED });
const value = createToken({ name: "a value", pattern: /%[\w$.#'\u0080-\uffff]+/ });
const functionName = createToken({ name: "a function name", pattern: /@[^\s(]+/ });
const number = createToken({ name: "a number", pattern: /\d+(?:\.\d+)?(?:e[+-]?\d+)?/ });
const quoted = createToken({ name: "a string", pattern: /"(?:[^"\\]|\\.)*"/ });
const [fnWord, returnWord, yieldWord, elseWord, doWord, stackWord, trueWord, falseWord] = [
  word("fn"),
  word("return"),
  word("yield"),
  word("else"),
  word("do"),
  word("stack"),
  word("true"),
  word("false"),
] as const;
const [nanWord, infinityWord, divWord] = [word("NaN"), word("Infinity"), word("div")] as const;
const [openRound, closeRound, openCurly, closeCurly] = [mark("("), mark(")"), mark("{"), mark("}")];
const [openSquare, closeSquare, comma, colon] = [mark("["), mark("]"), mark(","), mark(":")];
const [equals, plus, minus, times] = [mark("="), mark("+"), mark("-"), mark("*")];

const words = [fnWord, returnWord, yieldWord, elseWord, doWord, stackWord, trueWord, falseWord];
const tokens: TokenType[] = [
  ...[spaces, value, functionName, number, quoted, ...words, nanWord, infinityWord, divWord, name],
  ...[openRound, closeRound, openCurly, closeCurly, openSquare, closeSquare],
  ...[comma, colon, equals, plus, minus, times],
];

// Syntax, with the tokens that errors point at

interface FunctionSyntax {
  readonly name: IToken;
  readonly body: BlockSyntax;
}

interface BlockSyntax {
  readonly parameters: readonly Declaration[];
  readonly equations: readonly EquationSyntax[];
  readonly results: readonly IToken[];
}

interface Declaration {
  readonly value: IToken;
  readonly type: TypeSyntax;
}

interface TypeSyntax {
  readonly dtype: IToken;
  readonly stack: boolean;
  readonly shape: readonly Dim[];
}

interface EquationSyntax {
  readonly outputs: readonly IToken[];
  readonly op: IToken;
  readonly inputs: readonly IToken[];
  readonly parameters: readonly (readonly [string, Parameter])[];
  readonly regions: readonly BlockSyntax[];
  readonly types: readonly TypeSyntax[];
}

const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, actual }) =>
    `${expected.name} is expected, and ${found(actual)}`,
  buildNotAllInputParsedMessage: ({ firstRedundant }) =>
    `a function is expected, and ${found(firstRedundant)}`,
  buildNoViableAltMessage: ({ actual }) => `something else is expected, and ${found(actual[0])}`,
  buildEarlyExitMessage: ({ actual }) => `something else is expected, and ${found(actual[0])}`,
};

function found(token: IToken | undefined): string {
  if (token === undefined || tokenMatcher(token, EOF)) return "the text ends here";
  return `'${token.image}' stands here`;
}

/** The grammar. Rules run once on dummy tokens when the parser is made, so none may throw. */
class Grammar extends EmbeddedActionsParser {
  constructor() {
    super(tokens, { maxLookahead: 3, errorMessageProvider: messages });
    this.performSelfAnalysis();
  }

  readonly program = this.RULE("program", (): readonly FunctionSyntax[] => {
    const functions: FunctionSyntax[] = [];
    this.MANY(() => functions.push(this.SUBRULE(this.fn)));
    return functions;
  });

  private readonly fn = this.RULE("function", (): FunctionSyntax => {
    this.CONSUME(fnWord);
    const title = this.CONSUME(functionName);
    this.CONSUME(openRound);
    const parameters = this.SUBRULE(this.declarations);
    this.CONSUME(closeRound);
    this.CONSUME(openCurly);
    const equations = this.SUBRULE(this.equations);
    this.CONSUME(returnWord);
    const results = this.SUBRULE(this.values);
    this.CONSUME(closeCurly);
    return { name: title, body: { parameters, equations, results } };
  });

  private readonly equations = this.RULE("equations", (): readonly EquationSyntax[] => {
    const equations: EquationSyntax[] = [];
    this.MANY(() => equations.push(this.SUBRULE(this.equation)));
    return equations;
  });

  private readonly equation = this.RULE("equation", (): EquationSyntax => {
    let outputs: readonly IToken[] = [];
    this.OPTION1({
      GATE: () => tokenMatcher(this.LA(1), value),
      DEF: () => {
        outputs = this.SUBRULE1(this.values);
        this.CONSUME(equals);
      },
    });
    const op = this.SUBRULE(this.opName);
    const inputs = this.SUBRULE2(this.values);
    const parameters: (readonly [string, Parameter])[] = [];
    this.OPTION2({
      GATE: () => tokenMatcher(this.LA(3), equals),
      DEF: () => {
        this.CONSUME1(openCurly);
        this.AT_LEAST_ONE_SEP({
          SEP: comma,
          DEF: () => parameters.push(this.SUBRULE(this.assignment)),
        });
        this.CONSUME1(closeCurly);
      },
    });
    const regions: BlockSyntax[] = [];
    this.OPTION3(() => {
      regions.push(this.SUBRULE1(this.region));
      this.MANY(() => {
        this.OR([{ ALT: () => this.CONSUME(elseWord) }, { ALT: () => this.CONSUME(doWord) }]);
        regions.push(this.SUBRULE2(this.region));
      });
    });
    const types: TypeSyntax[] = [];
    this.OPTION4(() => {
      this.CONSUME(colon);
      this.AT_LEAST_ONE_SEP1({ SEP: comma, DEF: () => types.push(this.SUBRULE(this.type)) });
    });
    return { outputs, op, inputs, parameters, regions, types };
  });

  /** `div` is an op and a word of dimensions. */
  private readonly opName = this.RULE("op", (): IToken =>
    this.OR([{ ALT: () => this.CONSUME(name) }, { ALT: () => this.CONSUME(divWord) }]),
  );

  private readonly region = this.RULE("region", (): BlockSyntax => {
    let parameters: readonly Declaration[] = [];
    this.OPTION(() => {
      this.CONSUME(openRound);
      parameters = this.SUBRULE(this.declarations);
      this.CONSUME(closeRound);
    });
    this.CONSUME(openCurly);
    const equations = this.SUBRULE(this.equations);
    this.CONSUME(yieldWord);
    const results = this.SUBRULE(this.values);
    this.CONSUME(closeCurly);
    return { parameters, equations, results };
  });

  private readonly values = this.RULE("values", (): readonly IToken[] => {
    const values: IToken[] = [];
    this.MANY_SEP({ SEP: comma, DEF: () => values.push(this.CONSUME(value)) });
    return values;
  });

  private readonly declarations = this.RULE("declarations", (): readonly Declaration[] => {
    const declarations: Declaration[] = [];
    this.MANY_SEP({
      SEP: comma,
      DEF: () => {
        const declared = this.CONSUME(value);
        this.CONSUME(colon);
        declarations.push({ value: declared, type: this.SUBRULE(this.type) });
      },
    });
    return declarations;
  });

  private readonly type = this.RULE("type", (): TypeSyntax => {
    const stack = this.OPTION1(() => this.CONSUME(stackWord)) !== undefined;
    const dtype = this.CONSUME(name);
    const shape: Dim[] = [];
    this.OPTION2(() => {
      this.CONSUME(openSquare);
      this.MANY_SEP({ SEP: comma, DEF: () => shape.push(this.SUBRULE(this.sum)) });
      this.CONSUME(closeSquare);
    });
    return { dtype, stack, shape };
  });

  private readonly assignment = this.RULE("assignment", (): readonly [string, Parameter] => {
    const key = this.CONSUME(name).image;
    this.CONSUME(equals);
    return [key, this.SUBRULE(this.parameter)];
  });

  private readonly parameter = this.RULE("parameter", (): Parameter =>
    this.OR([
      {
        ALT: () => {
          const text = this.CONSUME(quoted).image;
          return this.ACTION(() => JSON.parse(text) as string);
        },
      },
      { ALT: () => this.CONSUME(trueWord) !== undefined },
      { ALT: () => this.CONSUME(falseWord) === undefined },
      {
        ALT: () => {
          const items: Parameter[] = [];
          this.CONSUME(openSquare);
          this.MANY_SEP({ SEP: comma, DEF: () => items.push(this.SUBRULE(this.parameter)) });
          this.CONSUME(closeSquare);
          return items;
        },
      },
      { ALT: () => this.SUBRULE(this.sum) },
    ]),
  );

  /** A number or a polynomial: `-0`, `1e21`, `2*B-1`. A lone number keeps its sign, also of 0. */
  private readonly sum = this.RULE("dimension", (): Dim => {
    const negative = this.OPTION(() => this.CONSUME1(minus)) !== undefined;
    const first = this.SUBRULE1(this.product);
    let total = this.ACTION(() => (negative ? negated(first) : first));
    this.MANY(() =>
      this.OR([
        {
          ALT: () => {
            this.CONSUME(plus);
            const term = this.SUBRULE2(this.product);
            total = this.ACTION(() => addDims(total, term));
          },
        },
        {
          ALT: () => {
            this.CONSUME2(minus);
            const term = this.SUBRULE3(this.product);
            total = this.ACTION(() => subtractDims(total, term));
          },
        },
      ]),
    );
    return total;
  });

  private readonly product = this.RULE("term", (): Dim => {
    let product = this.SUBRULE1(this.factor);
    this.MANY(() => {
      this.CONSUME(times);
      const next = this.SUBRULE2(this.factor);
      product = this.ACTION(() => multiplyDims(product, next));
    });
    return product;
  });

  private readonly factor = this.RULE("factor", (): Dim =>
    this.OR([
      { ALT: () => Number(this.CONSUME1(number).image) },
      { ALT: () => (this.CONSUME(nanWord), NaN) },
      { ALT: () => (this.CONSUME(infinityWord), Infinity) },
      { ALT: () => symbol(this.CONSUME(name).image) },
      {
        ALT: () => {
          this.CONSUME(divWord);
          this.CONSUME(openRound);
          const dividend = this.SUBRULE(this.sum);
          this.CONSUME(comma);
          const divisor = Number(this.CONSUME2(number).image);
          this.CONSUME(closeRound);
          return this.ACTION(() => divideDim(dividend, divisor));
        },
      },
    ]),
  );
}

const lexer = new Lexer(tokens);
/** Its state lasts for one call of `parse`: making one takes longer than a long text. */
const grammar = new Grammar();

function parse(text: string): readonly FunctionSyntax[] {
  const { tokens: input, errors } = lexer.tokenize(text);
  const [unread] = errors;
  if (unread !== undefined) {
    const sign = text[unread.offset] ?? "";
    throw new ParseFault(`'${sign}' has no meaning here`, unread.line ?? 1, unread.column ?? 1);
  }
  grammar.input = input;
  const functions = grammar.program();
  const [wrong] = grammar.errors;
  if (wrong === undefined) return functions;
  const { token } = wrong;
  const isEnd = tokenMatcher(token, EOF);
  const last = input.at(-1);
  const line = (isEnd ? last?.endLine : token.startLine) ?? 1;
  const column = isEnd ? (last?.endColumn ?? 0) + 1 : (token.startColumn ?? 1);
  throw new ParseFault(wrong.message, line, column);
}

// Names to values

function resolveFunction({ name: title, body }: FunctionSyntax): Fn {
  const scope = new Map<string, Value>();
  return { name: title.image.slice(1), body: resolveBlock(scope, body) };
}

function resolveBlock(outer: ReadonlyMap<string, Value>, syntax: BlockSyntax): Block {
  const scope = new Map(outer);
  const parameters = syntax.parameters.map(({ value: declared, type }) =>
    define(scope, declared, resolveType(type)),
  );
  const equations = syntax.equations.map((equation) => resolveEquation(scope, equation));
  return { parameters, equations, results: syntax.results.map((token) => lookUp(scope, token)) };
}

function resolveEquation(scope: Map<string, Value>, syntax: EquationSyntax): Equation {
  const { op, outputs, types } = syntax;
  const inputs = syntax.inputs.map((token) => lookUp(scope, token));
  const regions = syntax.regions.map((region) => resolveBlock(scope, region));
  if (outputs.length !== types.length) {
    throw faultAt(op, `${outputs.length} results are named, and ${types.length} types are given`);
  }
  return {
    op: op.image,
    inputs,
    parameters: Object.fromEntries(syntax.parameters),
    regions,
    outputs: outputs.map((token, k) => define(scope, token, resolveType(types[k] as TypeSyntax))),
    span: undefined,
  };
}

function resolveType({ dtype, stack, shape }: TypeSyntax): ValueType {
  const known: DType | undefined = dtypes.find((one) => one === dtype.image);
  if (known === undefined) throw faultAt(dtype, `'${dtype.image}' is not an element type`);
  return { dtype: known, shape, stack };
}

/** `%3` or `%3.weight`: the part behind the point is the user's name. */
function define(scope: Map<string, Value>, token: IToken, type: ValueType): Value {
  const point = token.image.indexOf(".");
  const id = point < 0 ? token.image : token.image.slice(0, point);
  if (scope.has(id)) throw faultAt(token, `${id} is defined twice`);
  const defined: Value = point < 0 ? { type } : { type, name: token.image.slice(point + 1) };
  scope.set(id, defined);
  return defined;
}

function lookUp(scope: ReadonlyMap<string, Value>, token: IToken): Value {
  const [id] = token.image.split(".") as [string];
  const found = scope.get(id);
  if (found === undefined) throw faultAt(token, `${id} is not defined here`);
  return found;
}

function negated(dim: Dim): Dim {
  return typeof dim === "number" ? -dim : multiplyDims(-1, dim);
}

function faultAt(token: IToken, sentence: string): ParseFault {
  return new ParseFault(sentence, token.startLine ?? 1, token.startColumn ?? 1);
}

/** What a user has said with one message. */
export type Said =
  | { readonly kind: 'input'; readonly bytes: Buffer }
  | { readonly kind: 'size'; readonly columns: number; readonly rows: number }
  | { readonly kind: 'end of input' }

/** How a program is told of, and is talked to, in messages of a WebSocket. */
export interface Protocol {
  /** Messages for what the program has written. */
  output(chunk: Buffer): Buffer[]
  /** What is left of it when no more comes. */
  rest(): Buffer[]
  /** The last message; `exitCode` is asked for only where it is told. */
  farewell(exitCode: () => Promise<number | null>): Promise<Buffer[]>
  /** The last message when the connection to the program broke. */
  broken(): Buffer[]
  /** Throws WrongMessage. */
  input(message: Buffer, isBinary: boolean): Said
}

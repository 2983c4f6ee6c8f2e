/** The files of conversations, as README.md describes them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { parse } from 'yaml'

const DIRECTORY = join(import.meta.dirname, 'conversations')
const SHAPES_FILE = 'shapes.yaml'

const closed = { additionalProperties: false } as const
const TextMap = Type.Record(Type.String(), Type.String())
const Minor = Type.Integer({ minimum: 1 })

const StepSchema = Type.Object(
  {
    about: Type.Optional(Type.String()),
    ask: Type.String({ pattern: '^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /' }),
    as: Type.Optional(Type.Enum(['alice', 'bob', 'admin', 'eve', 'nobody'])),
    at: Type.Optional(Type.Union([Minor, Type.Array(Minor, { minItems: 1 })])),
    boundary: Type.Optional(Minor),
    headers: Type.Optional(TextMap),
    body: Type.Optional(Type.Unknown()),
    raw: Type.Optional(Type.String()),
    until: Type.Optional(Type.Boolean()),
    expect: Type.Object(
      {
        status: Type.Integer(),
        headers: Type.Optional(TextMap),
        body: Type.Optional(Type.Unknown()),
        text: Type.Optional(Type.String()),
        error: Type.Optional(Type.String()),
        says: Type.Optional(Type.String()),
      },
      closed,
    ),
    keep: Type.Optional(TextMap),
  },
  closed,
)
export type Step = Static<typeof StepSchema>

const ConversationSchema = Type.Object({ about: Type.String(), steps: Type.Array(StepSchema, { minItems: 1 }) }, closed)
const FileSchema = Type.Object({ conversations: Type.Array(ConversationSchema, { minItems: 1 }) }, closed)
const ShapesSchema = Type.Record(Type.String(), Type.Unknown())

export interface Conversation extends Static<typeof ConversationSchema> {
  readonly file: string
}
export type Shapes = Static<typeof ShapesSchema>

const files = Compile(FileSchema)
const shapes = Compile(ShapesSchema)

export function readConversations(): Conversation[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.yaml') && file !== SHAPES_FILE)
    .toSorted()
    .flatMap((file) => {
      const value: unknown = read(file)
      if (!files.Check(value)) throw new Error(`${file}: ${complaint(files.Errors(value))}`)
      return value.conversations.map((conversation) => ({ ...conversation, file }))
    })
}

/** Bodies that several conversations expect. */
export function readShapes(): Shapes {
  const value: unknown = read(SHAPES_FILE)
  if (!shapes.Check(value)) throw new Error(`${SHAPES_FILE}: ${complaint(shapes.Errors(value))}`)
  return value
}

function read(file: string): unknown {
  return parse(readFileSync(join(DIRECTORY, file), 'utf8'), { merge: true })
}

function complaint(errors: Iterable<{ readonly instancePath: string; readonly message: string }>): string {
  const [first] = errors
  return first === undefined ? 'it has not the form of a conversation' : `${first.instancePath} ${first.message}`
}

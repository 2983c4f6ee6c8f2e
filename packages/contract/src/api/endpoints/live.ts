import { Type } from 'typebox'
import { narrowArgument, textArgument, wholeArgument, wideArgument } from '../../fields/arguments.ts'
import { bad, required, type Field } from '../../fields/field.ts'
import { answer, endpoint, textAnswer } from '../endpoint.ts'
import { ArchiveSchema, ExecutedSchema, StatsSchema, TopSchema } from '../live.ts'
import { Nothing } from '../schema.ts'

const ITEM = '/v1/containers/:ident'
const tag = 'live containers'
/** Refused by a rule, not there, or not now. */
const ON_ONE = [403, 404, 409]
/** There are too many streams of the project. */
const STREAMED = [...ON_ONE, 429]

/** Content types of streams (docs/api/streams.md). */
export const TEXT = 'text/plain'
export const MULTIPLEXED = 'application/vnd.docker.multiplexed-stream'
export const RAW = 'application/vnd.docker.raw-stream'
export const NDJSON = 'application/x-ndjson'
export const TAR = 'application/x-tar'

/** Rows and columns of a terminal are 16 bits wide. */
const LARGEST_SIDE = 65_535
const NO_NUL = /^[^\0]*$/
const LONGEST_PATH = 4_096
/** Linux takes no single word longer than this; a command of many words is kept to it as a whole. */
export const LONGEST_COMMAND = 128 * 1024

const side = (about: string) => required(wholeArgument({ min: 1, max: LARGEST_SIDE }, { about }))
const size = { h: side('Rows.'), w: side('Columns.') }
const path = required(textArgument({ min: 1, max: LONGEST_PATH, pattern: NO_NUL }))

/** What looks into a live container, through its host. */
export const LIVE_ENDPOINTS = {
  readLogs: endpoint({
    id: 'readLogs',
    method: 'GET',
    path: `${ITEM}/logs`,
    tag,
    summary: 'What a container has written, as one text.',
    args: {
      stdout: wideArgument({ about: 'With standard output; the default is yes.' }),
      stderr: wideArgument({ about: 'With standard error; the default is yes.' }),
      timestamps: wideArgument({ about: 'A time before each line.' }),
      tail: textArgument({}, { about: 'Lines from the end; a text that is no number means all.' }),
      since: textArgument({ max: 255 }, { about: 'Seconds since 1970, or `YYYY-MM-DD hh:mm:ss,f` in UTC.' }),
      follow: wideArgument({ about: 'Extension `streams`: bytes as they come, until the container ends.' }),
    },
    strict: true,
    answers: [answer(200, Type.String()), ...[TEXT, MULTIPLEXED, RAW].map((type) => textAnswer(200, type))],
    errors: STREAMED,
  }),
  putLogs: endpoint({
    id: 'putLogs',
    method: 'PUT',
    path: `${ITEM}/logs`,
    tag,
    summary: 'Always refused: logs are only read.',
    answers: [],
    errors: [405],
  }),
  listProcesses: endpoint({
    id: 'listProcesses',
    method: 'GET',
    path: `${ITEM}/top`,
    tag,
    summary: 'The processes of a container.',
    args: { ps_args: textArgument({ max: 255, pattern: NO_NUL }, { about: 'Arguments for ps; absent: `-ef`.' }) },
    strict: true,
    answers: [answer(200, TopSchema)],
    errors: ON_ONE,
  }),
  readStats: endpoint({
    id: 'readStats',
    method: 'GET',
    path: `${ITEM}/stats`,
    tag,
    summary: 'What a container uses at this moment.',
    args: { stream: wideArgument({ about: 'Extension `streams`: one object a line, about one a second.' }) },
    answers: [answer(200, StatsSchema), textAnswer(200, NDJSON)],
    errors: STREAMED,
  }),
  execute: endpoint({
    id: 'execute',
    method: 'POST',
    path: `${ITEM}/execute`,
    tag,
    summary: 'Run a command in a container: to its end, or on a terminal.',
    args: {
      command: required(command()),
      run: narrowArgument({ about: 'Wait for its end; the default is yes. Else a terminal is to be opened for it.' }),
      interactive: narrowArgument({ about: 'With standard input and a terminal.' }),
      tty: narrowArgument({ about: 'Extension `streams`: with a terminal or without, whatever `interactive` says.' }),
    },
    answers: [answer(200, ExecutedSchema)],
    errors: ON_ONE,
  }),
  resizeExecution: endpoint({
    id: 'resizeExecution',
    method: 'POST',
    path: `${ITEM}/execute_resize`,
    tag,
    summary: 'Tell a command the size of its terminal.',
    args: { exec_id: required(textArgument({ min: 64, max: 64, pattern: /^[a-f0-9]{64}$/ })), ...size },
    strict: true,
    answers: [answer(200, Nothing)],
    errors: ON_ONE,
  }),
  attach: endpoint({
    id: 'attach',
    method: 'GET',
    path: `${ITEM}/attach`,
    tag,
    summary: 'URL of a terminal at which the main program of a container can be talked to, once and soon.',
    args: {
      before_start: wideArgument({
        about: 'Extension `streams`: of a container that does not run yet, to miss nothing when it is started.',
      }),
    },
    answers: [answer(200, Type.String())],
    errors: ON_ONE,
  }),
  resizeTerminal: endpoint({
    id: 'resizeTerminal',
    method: 'POST',
    path: `${ITEM}/resize`,
    tag,
    summary: 'Tell the main program the size of its terminal.',
    args: size,
    strict: true,
    answers: [answer(200, Nothing)],
    errors: ON_ONE,
  }),
  getArchive: endpoint({
    id: 'getArchive',
    method: 'GET',
    path: `${ITEM}/get_archive`,
    tag,
    summary: 'Files of a container, as a tar file.',
    args: { path },
    answers: [answer(200, ArchiveSchema), textAnswer(200, TAR)],
    errors: [...STREAMED, 413],
  }),
  uploadArchive: endpoint({
    id: 'uploadArchive',
    method: 'PUT',
    path: `${ITEM}/put_archive`,
    tag,
    summary: 'Unpack a tar file of any size in a directory of a container, as it comes.',
    extension: 'streams',
    args: { path },
    strict: true,
    queryOnly: true,
    streams: TAR,
    answers: [answer(200, Nothing)],
    errors: STREAMED,
  }),
  putArchive: endpoint({
    id: 'putArchive',
    method: 'POST',
    path: `${ITEM}/put_archive`,
    tag,
    summary: 'Unpack a tar file in a directory of a container.',
    args: { path, data: required(data()) },
    answers: [answer(200, Nothing)],
    errors: ON_ONE,
  }),
}

/** Of a command it is known where it is run how a line is split. */
function command(): Field<string | readonly unknown[], string | readonly string[]> {
  const line = textArgument({ min: 1, max: 2 * LONGEST_COMMAND })
  return {
    about: 'A list of words, or a line that is split as a shell would; no shell runs it.',
    schema: (minor) => ({ anyOf: [line.schema(minor), { type: 'array', items: { type: 'string' }, minItems: 1 }] }),
    read: (value, name, minor) => (Array.isArray(value) ? value : line.read(value, name, minor)),
  }
}

/** Its size is the route's body limit; an empty archive is one too. */
function data(): Field<string, string> {
  return {
    about: 'The tar file: base64 from version 1.25 on, before that as text.',
    schema: () => ({ type: 'string' }),
    read: (value, name) => {
      if (typeof value === 'string') return value
      throw bad(name, typeof value, 'It is not a string')
    },
  }
}

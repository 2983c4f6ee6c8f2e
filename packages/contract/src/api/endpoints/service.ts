/** What stands beside the resources of `/v1`: anybody may ask it, without a token. */
import { Type } from 'typebox'
import { lastText } from '../../fields/paging.ts'
import { badArgument, type Field } from '../../fields/field.ts'
import { answer, endpoint, textAnswer, type Answer } from '../endpoint.ts'
import { HealthSchema, V1Schema, VersionsSchema } from '../general.ts'
import { MAX_MINOR, MIN_MINOR } from '../versions.ts'

const tag = 'service'

/** Of the document: minor part. */
function version(): Field<number | undefined, string> {
  return {
    about: 'Microversion it is for, or `latest`; absent: the newest.',
    schema: () => ({ type: 'string', pattern: '^1\\.[0-9]+$|^latest$' }),
    read: (value, name) => {
      const text = lastText(value)
      if (text === undefined || text === 'latest') return undefined
      const minor = Number(/^1\.([0-9]{1,3})$/.exec(text)?.[1])
      if (minor >= MIN_MINOR && minor <= MAX_MINOR) return minor
      throw badArgument(name, text, `It is not between 1.${MIN_MINOR} and 1.${MAX_MINOR}`)
    },
  }
}

export const SERVICE_DOCUMENTS = {
  showVersions: endpoint({
    id: 'showVersions',
    method: 'GET',
    path: '/',
    tag,
    summary: 'The versions of the API.',
    answers: [answer(200, VersionsSchema)],
    errors: [],
  }),
  showV1: endpoint({
    id: 'showV1',
    method: 'GET',
    path: '/v1',
    tag,
    summary: 'The resources of version 1.',
    answers: [answer(200, V1Schema)],
    errors: [],
  }),
  checkHealth: endpoint({
    id: 'checkHealth',
    method: 'GET',
    path: '/healthcheck',
    tag,
    summary: 'Whether requests are welcome: as text, or as JSON if `Accept` asks for it.',
    answers: [
      answer(200, HealthSchema),
      textAnswer(200, 'text/plain'),
      answer(503, HealthSchema),
      textAnswer(503, 'text/plain'),
    ],
    errors: [],
  }),
  readOpenApi: endpoint({
    id: 'readOpenApi',
    method: 'GET',
    path: '/openapi.json',
    tag,
    summary: 'This document.',
    extension: 'openapi',
    args: { version: version() },
    strict: true,
    answers: [answer(200, Type.Object({ openapi: Type.String() }))],
    errors: [],
  }),
}

const MOVED: Answer = { status: 302, schema: null, location: true }

/** For eyes. */
export const SERVICE_PAGES = {
  readDocs: endpoint({
    id: 'readDocs',
    method: 'GET',
    path: '/docs',
    tag,
    summary: 'This document as a page to read.',
    extension: 'openapi',
    args: { version: version() },
    strict: true,
    // With a slash at the end of its path it is elsewhere.
    answers: [textAnswer(200, 'text/html'), MOVED],
    errors: [],
  }),
}

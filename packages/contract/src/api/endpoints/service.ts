/** What stands beside `/v1`: anybody may ask it, without a token and whatever the version. */
import { Type } from 'typebox'
import { textArgument } from '../../fields/arguments.ts'
import { answer, endpoint } from '../endpoint.ts'
import { HealthSchema, V1Schema, VersionsSchema } from '../general.ts'

export const SERVICE_DOCUMENTS = {
  showVersions: endpoint({
    id: 'showVersions',
    method: 'GET',
    path: '/',
    tag: 'service',
    summary: 'The versions of the API.',
    answers: [answer(200, VersionsSchema)],
    errors: [],
  }),
  showV1: endpoint({
    id: 'showV1',
    method: 'GET',
    path: '/v1',
    tag: 'service',
    summary: 'The resources of version 1.',
    answers: [answer(200, V1Schema)],
    errors: [],
  }),
  checkHealth: endpoint({
    id: 'checkHealth',
    method: 'GET',
    path: '/healthcheck',
    tag: 'service',
    summary: 'Whether requests are welcome: as text, or as JSON if `Accept` asks for it.',
    answers: [answer(200, HealthSchema), answer(503, HealthSchema)],
    errors: [],
  }),
  readOpenApi: endpoint({
    id: 'readOpenApi',
    method: 'GET',
    path: '/openapi.json',
    tag: 'service',
    summary: 'This document.',
    extension: 'openapi',
    args: { version: textArgument({}, { about: 'Microversion `1.N` it is for; absent: the newest.' }) },
    answers: [answer(200, Type.Object({ openapi: Type.String() }))],
    errors: [],
  }),
}

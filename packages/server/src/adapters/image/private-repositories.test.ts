import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { Retryable, SystemFault } from '../../domain/errors.ts'
import { PrivateRepositories } from './private-repositories.ts'

const REPOSITORY = 'r.example/team/app'
let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zund-private-'))
  path = join(directory, 'state', 'private.json')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('what nobody fetched with credentials is for all', () => {
  assert.equal(new PrivateRepositories(path).isOpenTo(REPOSITORY, 'a'), true)
})

test('a pull that a crash cut short leaves the repository shut, for everybody', async () => {
  await new PrivateRepositories(path).begin(REPOSITORY)
  const next = new PrivateRepositories(path)
  assert.equal(next.isOpenTo(REPOSITORY, 'a'), false)
  // A failure in this life says nothing of what came in the other.
  await next.begin(REPOSITORY)
  await next.failed(REPOSITORY, true)
  assert.equal(next.isOpenTo(REPOSITORY, 'a'), false)
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('who fetched it has it, also in the next life, until it is open to all', async () => {
  const first = new PrivateRepositories(path)
  await first.begin(REPOSITORY)
  await first.succeeded(REPOSITORY, 'a')
  const next = new PrivateRepositories(path)
  assert.equal(next.isOpenTo(REPOSITORY, 'a'), true)
  assert.equal(next.isOpenTo(REPOSITORY, 'b'), false)
  await next.grant(REPOSITORY, 'b')
  assert.equal(new PrivateRepositories(path).isOpenTo(REPOSITORY, 'b'), true)
  await next.opened(REPOSITORY)
  assert.equal(new PrivateRepositories(path).isOpenTo(REPOSITORY, 'c'), true)
})

test('a failed pull that brought nothing is forgotten, unless another one may have brought something', async () => {
  const privates = new PrivateRepositories(path)
  await privates.begin(REPOSITORY)
  await privates.failed(REPOSITORY, true)
  assert.equal(privates.isOpenTo(REPOSITORY, 'b'), true)
  await privates.begin(REPOSITORY)
  await privates.begin(REPOSITORY)
  await privates.failed(REPOSITORY, true)
  assert.equal(privates.isOpenTo(REPOSITORY, 'b'), false)
  await privates.failed(REPOSITORY, false)
  assert.equal(privates.isOpenTo(REPOSITORY, 'b'), false)
  await privates.begin(REPOSITORY)
  await privates.failed(REPOSITORY, true)
  assert.equal(privates.isOpenTo(REPOSITORY, 'b'), false)
})

test('where it cannot be noted nothing is pulled, and nothing is kept from the others', async () => {
  const privates = new PrivateRepositories(path)
  rmSync(join(directory, 'state'), { recursive: true })
  await assert.rejects(privates.begin(REPOSITORY), Retryable)
  assert.equal(privates.isOpenTo(REPOSITORY, 'b'), true)
  mkdirSync(join(directory, 'state'))
  await privates.begin(REPOSITORY)
  assert.match(readFileSync(path, 'utf8'), /team\/app/)
})

test('a damaged note stops the start', () => {
  mkdirSync(join(directory, 'state'))
  writeFileSync(path, '{"repos')
  assert.throws(() => new PrivateRepositories(path), SystemFault)
})

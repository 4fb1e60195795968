import type { S3Client } from '@aws-sdk/client-s3'
import type { S3Call } from './client.ts'

/** Innermost in the SDK's stack: one call here is one HTTP attempt. */
export function watchCalls(client: S3Client, onCall: (call: S3Call) => void): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const { method, path, query } = args.request as SentRequest
      const began = performance.now()
      const report = (status: number | 'failed', rayId?: string) => {
        const ms = Math.round(performance.now() - began)
        const ray = rayId === undefined ? {} : { rayId }
        onCall({ method, path: path + searchOf(query), status, ms, ...ray })
      }
      try {
        const result = await next(args)
        const { statusCode, headers } = result.response as SentResponse
        report(statusCode, headers['cf-ray'])
        return result
      } catch (error) {
        report('failed')
        throw error
      }
    },
    { step: 'deserialize', priority: 'low', name: 'watchCalls' },
  )
}

interface SentRequest {
  method: string
  path: string
  query?: Record<string, string | string[] | null>
}

export interface SentResponse {
  statusCode: number
  headers: Record<string, string | undefined>
}

function searchOf(query: SentRequest['query'] = {}): string {
  const pairs = Object.entries(query).map(([name, value]) => {
    return value === null || value === '' ? name : `${name}=${encodeURIComponent(String(value))}`
  })
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

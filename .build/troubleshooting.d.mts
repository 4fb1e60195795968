/** docs/troubleshooting.md with its tables made anew. */
export function fresh(): Promise<string>

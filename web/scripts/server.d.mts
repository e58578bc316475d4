export function start(
  options?: string[],
  environment?: Record<string, string>,
): Promise<{ url: string; key: string; folder: string; log: () => string; stop: () => Promise<void> }>;

/** What several screens share is put together by who uses it: a request for each small thing costs more than its bytes. */
export const parts = {
  groups: [
    { name: "first", tags: ["$initial" as const], priority: 2 },
    { name: "shared", test: /\/src\//, minShareCount: 2, entriesAware: true, entriesAwareMergeThreshold: 4000 },
  ],
};

/** Rolldown names such a part after all its users, which is long. */
export function partFile({ name }: { name: string }): string {
  return name.startsWith("shared~") ? "assets/shared-[hash].js" : "assets/[name]-[hash].js";
}

import { m } from "../../i18n/messages";

/** What an export says of a message; as `state/packing.ts` gives it. */
interface Facts {
  readonly id: string;
  readonly from: string | null;
  readonly to: readonly string[];
  readonly createdMs: number;
  readonly caption: string;
  readonly video: "yes" | "no" | "unplayable";
}

/** The README in a message's folder; the commands and the names of the files are the same in every language. */
export function readme({ id, from, to, createdMs, caption, video }: Facts): string {
  const made = `${new Date(createdMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const film = { yes: m.readme_mp4(), no: m.readme_none(), unplayable: m.readme_unplayable() }[video];
  return `${m.readme_title({ id })}

  ${m.readme_from()}: ${from ?? m.readme_unsigned()}
  ${m.readme_to()}: ${to.join(", ")}
  ${m.readme_made()}: ${made}
  ${m.readme_caption()}: ${caption}

video.mp4        ${film}
video.age        ${video === "no" ? m.readme_none() : m.readme_age()}
details.age      ${m.readme_details()}
key.txt          ${m.readme_key()}
envelope.signed  ${m.readme_envelope()}

${m.readme_open()}

    age -d -i key.txt -o fragmented.mp4 video.age
    age -d -i key.txt -o details.json details.age
`;
}

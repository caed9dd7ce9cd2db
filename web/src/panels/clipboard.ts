// Copies a text for the user.

/** Browsers may keep the clipboard from a page; then it can be copied by hand. */
export async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

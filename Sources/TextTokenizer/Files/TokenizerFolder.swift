import Foundation

/// A folder with a tokenizer, read by transformers' rules: `tokenizer.json`, else `vocab.json` and `merges.txt`; the pad
/// token from `tokenizer_config.json`, in older folders rather from `special_tokens_map.json`.
struct TokenizerFolder {
  let path: String
  private let names: Set<String>

  init(_ path: String) {
    self.path = path
    names = Set((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
  }

  private func file(_ name: String) -> String { path + "/" + name }

  private func named(_ name: String) throws(TokenizerError) -> NamedTokens? {
    guard names.contains(name) else { return nil }
    return try BytePairVocabulary.json(
      NamedTokens.self, of: file(name), expecting: "tokens as texts or objects")
  }

  func tokenizer() throws(TokenizerError) -> CLIPTokenizer {
    let configuration = try named("tokenizer_config.json") ?? NamedTokens()
    if names.contains("tokenizer.json") {
      return try Self.tokenizer(file: file("tokenizer.json"), configuration)
    }
    guard names.isSuperset(of: ["vocab.json", "merges.txt"]) else {
      throw .file(
        path: path,
        problem: "expected tokenizer.json, or vocab.json and merges.txt, here or in tokenizer/; "
          + "found neither")
    }
    let vocabulary = try BytePairVocabulary(
      json: file("vocab.json"), merges: file("merges.txt"))
    if let added = configuration.added {
      let entries = added.map { key, entry in
        var entry = entry
        entry.id = Int(key)
        return entry
      }
      return try Self.tokenizer(
        vocabulary, entries + configuration.all, configuration, path: file("tokenizer_config.json"))
    }
    let tokens = configuration.overridden(by: try named("special_tokens_map.json"))
    var entries = tokens.all
    if names.contains("added_tokens.json") {
      let added = try BytePairVocabulary.json(
        [String: Int].self, of: file("added_tokens.json"), expecting: "an object of texts and ids")
      let known = Set(entries.map(\.content))
      entries += added.sorted { $0.value < $1.value }.map {
        AddedTokenEntry(id: $0.value, content: $0.key, normalized: !known.contains($0.key))
      }
    }
    return try Self.tokenizer(vocabulary, entries, tokens, path: path)
  }

  /// Reads one `tokenizer.json`.
  static func tokenizer(
    file path: String, _ configuration: NamedTokens
  ) throws(TokenizerError) -> CLIPTokenizer {
    let file = try BytePairVocabulary.json(
      TokenizerFile.self, of: path, expecting: "a tokenizer with model.vocab and model.merges")
    let suffix = file.model.endOfWord ?? "none"
    guard file.model.type ?? "BPE" == "BPE", suffix == ByteAlphabet.wordEnd else {
      throw .malformed(
        path: path, place: "model",
        problem: "expected CLIP's byte pairs with words that end in \(ByteAlphabet.wordEnd), found "
          + "\(file.model.type ?? "BPE") with the ending \(suffix)")
    }
    let added = (file.addedTokens ?? []) + configuration.all
    var ids = file.model.vocab
    for entry in added { ids[entry.content] = entry.id ?? ids[entry.content] }
    let vocabulary = try BytePairVocabulary(
      ids: ids, merges: file.model.merges.map(\.pair), path: path)
    return try tokenizer(vocabulary, added, configuration, path: path)
  }

  private static func tokenizer(
    _ vocabulary: BytePairVocabulary, _ entries: [AddedTokenEntry], _ tokens: NamedTokens,
    path: String
  ) throws(TokenizerError) -> CLIPTokenizer {
    var added: [AddedToken] = []
    for entry in entries where !added.contains(where: { $0.content == entry.content }) {
      guard !entry.leftStrip, !entry.rightStrip, !entry.singleWord else {
        throw .malformed(
          path: path, place: "token \(entry.content)",
          problem: "lstrip, rstrip and single_word are not known here; set them to false")
      }
      guard let id = entry.id ?? vocabulary.ids[entry.content] else {
        throw .malformed(
          path: path, place: "token \(entry.content)", problem: "it has no id and is not a token")
      }
      added.append(
        AddedToken(
          entry.content, ids: [id], isNormalized: entry.normalized, isWholeWord: false))
    }
    let pad = tokens.pad?.content
    let padID = pad.flatMap { name in
      added.first { $0.content == name }?.ids.first ?? vocabulary.ids[name]
    }
    if let pad, padID == nil {
      throw .malformed(path: path, place: "pad_token", problem: "\(pad) is not a token")
    }
    return CLIPTokenizer(vocabulary: vocabulary, padID: padID, added: added)
  }
}

extension CLIPTokenizer {
  /// Reads a tokenizer.
  ///
  /// - Parameter path: a folder with `tokenizer.json` or `vocab.json` and `merges.txt`, or one with such a folder called
  ///   `tokenizer` (a diffusers folder); or one file: a `tokenizer.json`, a `vocab.json` beside its `merges.txt`, or
  ///   OpenAI's list, gzipped or not.
  /// - Throws: ``TokenizerError`` with the file, what was expected and what was found.
  public init(path: String) throws(TokenizerError) {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw .file(path: path, problem: "no such file or folder; give the path of a vocabulary")
    }
    let name = (path as NSString).lastPathComponent
    if isFolder.boolValue {
      var inner: ObjCBool = false
      let nested = path + "/tokenizer"
      let isNested =
        FileManager.default.fileExists(atPath: nested, isDirectory: &inner) && inner.boolValue
      self = try TokenizerFolder(isNested ? nested : path).tokenizer()
    } else if name == "vocab.json" {
      let folder = (path as NSString).deletingLastPathComponent
      self.init(
        vocabulary: try BytePairVocabulary(
          json: path, merges: (folder as NSString).appendingPathComponent("merges.txt")))
    } else if name.hasSuffix(".json") {
      self = try TokenizerFolder.tokenizer(file: path, NamedTokens())
    } else {
      self.init(vocabulary: try BytePairVocabulary(openAI: path))
    }
  }
}

import DiffusionImages
import DiffusionModels
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// CLIP at work, against transformers' model and processor; see make_clip.py.
@Suite struct CLIPModelTests {
  static let folder = Shared.golden.appendingPathComponent("clip/folder").path
  static let pictures = Shared.golden.appendingPathComponent("pictures").path

  static func model() throws -> CLIPModel {
    var notes: [String] = []
    let model = try CLIPModel(path: folder, notes: &notes)
    #expect(notes.isEmpty, "\(notes)")
    return model
  }

  private struct Golden {
    let file: SafetensorsFile
    let names: [String]
    let texts: [String]
    /// For each text, the pictures from the nearest on.
    let order: [[Int]]

    init() throws {
      file = try SafetensorsFile(
        path: Shared.golden.appendingPathComponent("clip/expected.safetensors").path)
      names = try Self.list("names", file)
      texts = try Self.list("texts", file)
      order = try Self.list("order", file)
    }

    private static func list<Value: Decodable>(
      _ key: String, _ file: SafetensorsFile
    ) throws -> [Value] {
      try JSONDecoder().decode([Value].self, from: Data(try #require(file.metadata[key]).utf8))
    }

    var images: [Image] {
      get throws { try names.map { try Image(reading: CLIPModelTests.pictures + "/" + $0) } }
    }
  }

  /// Resized to one level of 255 at most where Pillow goes over the columns first; the rest is float32 arithmetic.
  @Test func picturesArePreparedAsByTransformers() throws {
    let golden = try Golden()
    let model = try Self.model()
    let expected = try golden.file.tensor(named: "pixels").permuted([0, 2, 3, 1])
    for (index, image) in try golden.images.enumerated() {
      let found = model.preparation.prepared(image)
      let level = 1 / (255 * 0.26)
      expectClose(
        found.expanded(at: 0), expected.sliced(axis: 0, index..<index + 1),
        tolerance: level * 1.01)
    }
  }

  /// On transformers' own pixels everything agrees to float32's rounding; on ours to what a level of 255 does.
  @Test func vectorsAgree() throws {
    let golden = try Golden()
    let model = try Self.model()
    let texts = model.embedded(texts: golden.texts)
    expectClose(texts, try golden.file.tensor(named: "texts"), tolerance: 2e-5)
    let pixels = try golden.file.tensor(named: "pixels").permuted([0, 2, 3, 1])
    let pictures = model.pair.embedded(pictures: pixels)
    expectClose(pictures, try golden.file.tensor(named: "pictures"), tolerance: 2e-5)
    expectClose(
      model.pair.logits(pictures: pictures, texts: texts),
      try golden.file.tensor(named: "logits"), tolerance: 4e-4)
    expectClose(
      model.embedded(pictures: try golden.images), try golden.file.tensor(named: "pictures"),
      tolerance: 0.02)
  }

  @Test func labelsAreRankedAsByTransformers() throws {
    let golden = try Golden()
    let model = try Self.model()
    let probabilities = try golden.file.tensor(named: "probabilities")
    for (index, image) in try golden.images.enumerated() {
      let ranked = try model.classify(image, labels: golden.texts, templates: ["{}"])
      let expected = probabilities.sliced(axis: 0, index..<index + 1).doubles
      let order = golden.texts.indices.sorted { expected[$0] > expected[$1] }
      #expect(ranked.map(\.label) == order.map { golden.texts[$0] }, "\(golden.names[index])")
      #expect(abs(ranked.map(\.probability).reduce(0, +) - 1) < 1e-5)
      #expect(abs(ranked[0].probability - expected[order[0]]) < 0.05)
    }
  }

  /// A label's vector is the mean of its sentences' vectors, brought to length 1.
  @Test func templatesAreAveraged() throws {
    let golden = try Golden()
    let model = try Self.model()
    let image = try golden.images[0]
    let templates = ["a {}", "{} and red"]
    let ranked = try model.classify(image, labels: ["cat", "dog"], templates: templates)
    let picture = model.embedded(pictures: [image]).doubles
    for entry in ranked {
      let rows = model.embedded(
        texts: templates.map { $0.replacing("{}", with: entry.label) }
      ).split(axis: 0, into: 2).map(\.doubles)
      let mean = zip(rows[0], rows[1]).map { ($0 + $1) / 2 }
      let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
      let cosine = zip(mean, picture).reduce(0) { $0 + $1.0 * $1.1 } / length
      #expect(abs(cosine - entry.similarity) < 1e-5)
    }
    for (labels, templates) in [([], ["{}"]), (["a", "a"], ["{}"]), (["a"], ["a"])] {
      #expect(throws: PipelineError.self) {
        try model.classify(image, labels: labels, templates: templates)
      }
    }
  }

  /// Long texts lose their end, as with transformers' truncation.
  @Test func longTextsAreCut() throws {
    let model = try Self.model()
    let long = String(repeating: "cat ", count: 14)
    let vectors = model.embedded(texts: [long, long + "dog dog"]).split(axis: 0, into: 2)
    #expect(vectors[0].floats == vectors[1].floats)
  }

  // MARK: - The index

  private func copied(_ folder: TemporaryFolder, _ names: [String]) throws {
    for name in names {
      try FileManager.default.copyItem(
        atPath: Self.pictures + "/" + name, toPath: folder.path + "/" + name)
    }
  }

  @Test func picturesAreFoundInTransformersOrder() throws {
    let golden = try Golden()
    let model = try Self.model()
    let folder = try TemporaryFolder()
    try copied(folder, golden.names)
    var index = PictureIndex()
    let changes = try index.update(folder: folder.path, with: model)
    #expect(changes.added == 5 && changes.skipped.isEmpty)
    for (text, order) in zip(golden.texts, golden.order) {
      let found = index.nearest(
        to: model.embedded(texts: [text]), count: 10, in: folder.path)
      let names = found.map { ($0.path as NSString).lastPathComponent }
      #expect(names == order.map { golden.names[$0] }, "\(text)")
    }
    let own = index.nearest(
      to: model.embedded(pictures: [try golden.images[2]]), count: 1, in: folder.path)
    #expect(own[0].path.hasSuffix(golden.names[2]) && own[0].similarity > 0.9999)
  }

  @Test func anIndexIsBroughtUpToDate() throws {
    let model = try Self.model()
    let folder = try TemporaryFolder()
    try copied(folder, ["full.jpg", "grey.jpg", "cmyk.jpg"])
    try folder.file("broken.png", "no picture")
    try folder.file(".hidden/a.png", "no picture")
    let file = folder.path + "/pictures.index"
    var index = try PictureIndex(path: file)
    var changes = try index.update(folder: folder.path, with: model)
    #expect(changes.added == 3 && changes.kept == 0 && changes.skipped.count == 1)
    try index.write(to: file)

    try FileManager.default.removeItem(atPath: folder.path + "/grey.jpg")
    try FileManager.default.removeItem(atPath: folder.path + "/cmyk.jpg")
    try FileManager.default.copyItem(
      atPath: Self.pictures + "/turned6.jpg", toPath: folder.path + "/cmyk.jpg")
    try copied(folder, ["lossy.webp"])
    index = try PictureIndex(path: file)
    var read: [Int] = []
    changes = try index.update(folder: folder.path, with: model) { _, count in
      read.append(count)
      return true
    }
    #expect(changes.kept == 1 && changes.added == 1 && changes.changed == 1)
    #expect(changes.removed == 1 && read == [3])  // the new, the changed, and the broken one again
    #expect(
      index.entries.map { ($0.path as NSString).lastPathComponent }
        == ["cmyk.jpg", "full.jpg", "lossy.webp"])

    var anew = PictureIndex()
    _ = try anew.update(folder: folder.path, with: model)
    let query = model.embedded(texts: ["cat"])
    #expect(
      index.nearest(to: query, count: 9, in: folder.path)
        == anew.nearest(to: query, count: 9, in: folder.path))
  }

  @Test func anotherModelsVectorsAreLetGoOf() throws {
    let model = try Self.model()
    let folder = try TemporaryFolder()
    try copied(folder, ["full.jpg", "grey.jpg"])
    var index = PictureIndex()
    _ = try index.update(folder: folder.path, with: model)
    let other = CLIPModel(
      pair: model.pair.mapParameters { tensor, parameter in
        parameter.name == "visual_projection.weight" ? tensor * -1 : tensor
      }, tokenizer: model.tokenizer, preparation: model.preparation)
    let changes = try index.update(folder: folder.path, with: other)
    #expect(changes.added == 2 && changes.kept == 0)
  }

  @Test func otherFilesAreNoIndex() throws {
    let folder = try TemporaryFolder()
    try folder.file("a.index", "something else")
    #expect(throws: PipelineError.self) { try PictureIndex(path: folder.path + "/a.index") }
    try CheckpointWriter().write(to: folder.path + "/b.index")
    let error = #expect(throws: PipelineError.self) {
      try PictureIndex(path: folder.path + "/b.index")
    }
    #expect(error?.description.contains("no index of pictures") == true)
  }

  /// One file under OpenAI's names, with as many tokens as the vocabulary that comes with the engine.
  @Test func aFileUnderOpenAIsNamesIsAModel() throws {
    let golden = try SafetensorsFile(
      path: Shared.golden.appendingPathComponent("clip/openai_vit.safetensors").path)
    let folder = try TemporaryFolder()
    var writer = CheckpointWriter()
    for entry in golden.entries where entry.name.hasPrefix("model.") {
      let tensor = try golden.tensor(named: entry.name)
      let name = String(entry.name.dropFirst(6))
      guard name == "token_embedding.weight" else {
        writer.add(name, tensor)
        continue
      }
      let rows = (0..<49408).map { tensor.sliced(axis: 0, $0 % 60..<$0 % 60 + 1) }
      writer.add(name, Tensor.concatenated(rows, axis: 0))
    }
    try writer.write(to: folder.path + "/clip.pt")
    var notes: [String] = []
    let model = try CLIPModel(path: folder.path + "/clip.pt", notes: &notes)
    #expect(notes.count == 1 && notes[0].contains("--activation gelu"), "\(notes)")
    #expect(model.preparation == CLIPPreparation(side: 16))
    let pixels = try golden.tensor(named: "pixels").permuted([0, 2, 3, 1])
    expectClose(
      model.pair.embedded(pictures: pixels), try golden.tensor(named: "pictures"), tolerance: 2e-5)
    // "a" is token 320, which has the row of token 20 here.
    let plain = model.pair.embedded(texts: [[49406, 320, 49407]])
    #expect(model.embedded(texts: ["a"]).doubles.count == 20)
    // With the exact activation, given or by OpenCLIP's configuration, texts are other ones.
    notes = []
    let exact = try CLIPModel(path: folder.path + "/clip.pt", activation: .gelu, notes: &notes)
    try folder.file("open_clip_config.json", #"{"model_cfg": {"embed_dim": 20}}"#)
    let told = try CLIPModel(path: folder.path + "/clip.pt", notes: &notes)
    #expect(notes.isEmpty)
    #expect(exact.embedded(texts: ["a"]).doubles == told.embedded(texts: ["a"]).doubles)
    #expect(exact.embedded(texts: ["a"]).doubles != model.embedded(texts: ["a"]).doubles)
    expectClose(model.embedded(texts: ["a"]), plain, tolerance: 1e-6)
  }

  @Test func foldersThatAreNoModelSaySo() throws {
    var notes: [String] = []
    let file = Shared.golden.appendingPathComponent("latent/kl.safetensors").path
    for (path, words) in [(Self.pictures, "config.json"), ("/nowhere", "no such file")] {
      let error = #expect(throws: PipelineError.self) { try CLIPModel(path: path, notes: &notes) }
      #expect(error?.description.contains(words) == true)
    }
    let error = #expect(throws: PipelineError.self) { try CLIPModel(path: file, notes: &notes) }
    #expect(error?.description.contains("under OpenAI's names") == true)
  }

  @Test func preparationsThatCannotBeDoneAreRefused() throws {
    func read(_ json: String) throws -> CLIPPreparation {
      try JSONDecoder().decode(CLIPPreparation.self, from: Data(json.utf8))
    }
    #expect(try read("{}") == CLIPPreparation())
    #expect(try read(#"{"size": 32, "crop_size": 32}"#) == CLIPPreparation(side: 32))
    let whole = try read(
      #"{"size": {"height": 7, "width": 9}, "do_center_crop": false, "resample": 2}"#)
    let image = Image(width: 3, height: 3, filledWith: [255])
    #expect(whole.prepared(image).shape == [7, 9, 3])
    for json in [
      #"{"resample": 0}"#, #"{"size": 0}"#, #"{"image_mean": [0.5]}"#, #"{"crop_size": -3}"#,
    ] {
      #expect(throws: DecodingError.self) { try read(json) }
    }
  }
}

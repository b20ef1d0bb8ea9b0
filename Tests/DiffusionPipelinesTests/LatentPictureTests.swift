import Diffusion
import DiffusionImages
import DiffusionPipelines
import Foundation
import TensorCheckpoints
import TensorCore
import TestSupport
import Testing

/// A small model's folder put together from the parts of several.
struct AssembledModel {
  let model: LatentModel
  private let folder: TemporaryFolder

  static let text = Shared.golden.appendingPathComponent("pipeline_text")
  static let pictures = Shared.golden.appendingPathComponent("pipeline_pictures")

  /// - Parameters:
  ///   - parts: where each part is, other than in pipeline_text.
  ///   - absent: parts that there are not.
  init(_ parts: [String: URL], without absent: Set<String> = [], scheduler: URL? = nil) throws {
    folder = try TemporaryFolder()
    let files = FileManager.default
    for part in ["model_index.json", "unet", "vae", "text_encoder", "tokenizer", "scheduler"]
    where !absent.contains(part)
      && !parts.keys.contains(where: { $0 == part || $0.hasPrefix(part + "/") })
    {
      try files.createSymbolicLink(
        atPath: folder.path + "/" + part,
        withDestinationPath: Self.text.appendingPathComponent(part).path)
    }
    for (part, url) in parts {
      let path = folder.path + "/" + part
      try files.createDirectory(
        at: URL(fileURLWithPath: path).deletingLastPathComponent(),
        withIntermediateDirectories: true)
      try files.createSymbolicLink(atPath: path, withDestinationPath: url.path)
    }
    var notes: [String] = []
    var loaded = try LatentModel(folder: folder.path, notes: &notes)
    #expect(notes.isEmpty, "\(notes)")
    if let scheduler {
      let json = try Data(contentsOf: scheduler.appendingPathComponent("scheduler_config.json"))
      let other = LatentModel(
        unet: loaded.unet, autoencoder: loaded.autoencoder, texts: loaded.texts,
        process: try ProcessConfiguration(json: json))
      loaded = other
    }
    model = loaded
  }

  static func scheduler(_ name: String) -> URL {
    let own = pictures.appendingPathComponent("schedulers/\(name)")
    return FileManager.default.fileExists(atPath: own.path)
      ? own : text.appendingPathComponent("schedulers/\(name)")
  }

  /// The text model with an autoencoder that pictures show in.
  static func plain(_ scheduler: String) throws -> AssembledModel {
    try AssembledModel(
      ["vae": pictures.appendingPathComponent("vae")], scheduler: Self.scheduler(scheduler))
  }

  /// The same with nine channels.
  static func inpainting(_ scheduler: String) throws -> AssembledModel {
    try AssembledModel(
      [
        "vae": pictures.appendingPathComponent("vae"),
        "unet": pictures.appendingPathComponent("inpainting/unet"),
      ], scheduler: Self.scheduler(scheduler))
  }

  /// - Parameter scheduler: another one than that of its golden.
  static func upscaler(_ scheduler: URL? = nil) throws -> AssembledModel {
    let own = pictures.appendingPathComponent("upscaler")
    return try AssembledModel([
      "unet": own.appendingPathComponent("unet"),
      "vae/config.json": own.appendingPathComponent("vae/config.json"),
      "vae/diffusion_pytorch_model.safetensors": pictures.appendingPathComponent(
        "vae/diffusion_pytorch_model.safetensors"),
      "scheduler": scheduler ?? own.appendingPathComponent("scheduler"),
      "low_res_scheduler": own.appendingPathComponent("low_res_scheduler"),
      "model_index.json": own.appendingPathComponent("model_index.json"),
    ])
  }

  /// A picture of pipeline_pictures.
  static func image(_ name: String) throws -> Image {
    try Image(png: pictures.appendingPathComponent(name + ".png").path)
  }

  /// A request as make_picture_pipelines.py makes them.
  func request(width: Int? = nil, height: Int? = nil, count: Int = 2) throws -> TextRequest {
    TextRequest(
      prompt: "a red cat", negative: "dog", height: height, width: width,
      pictures: ImageRequest(
        classes: [Int?](repeating: nil, count: count), steps: 6,
        sampler: try #require(model.process.solverName), options: model.process.solverOptions,
        guidance: 5, seed: 3, batchSize: 2))
  }

  func draw(
    _ request: TextRequest, from input: PictureInput? = nil
  ) async throws -> [Image] {
    var pictures: [Image] = []
    for try await step in try LatentPipeline(model: model).generate(request, from: input)
    where step.finishesBatch { pictures += step.images }
    return pictures
  }
}

/// No sample is off by more than one of 255.
func expectPictures(
  _ found: [Image], _ name: String, in file: URL, within most: Int = 1
) throws {
  let golden = try SafetensorsFile(path: file.path)
  let expected = try golden.integers(named: name)
  #expect(
    [found.count, found[0].height, found[0].width, found[0].channels]
      == golden.entry(named: name)?.shape)
  let worst = zip(found.flatMap(\.samples), expected).map { abs(Int($0) - $1) }.max() ?? 255
  #expect(worst <= most, "\(name) is off by \(worst) of 255")
}

/// Pictures drawn from pictures, against the reference's; see make_picture_pipelines.py.
@Suite struct LatentPictureTests {
  static func expectGolden(_ found: [Image], _ name: String, within most: Int = 1) throws {
    try expectPictures(
      found, name, in: AssembledModel.pictures.appendingPathComponent("pictures.safetensors"),
      within: most)
  }

  @Test(arguments: ["ddim", "euler", "dpm++2m", "heun", "unipc", "euler-ancestral"])
  func imageToImage(_ scheduler: String) async throws {
    let model = try AssembledModel.plain(scheduler)
    let input = PictureInput(try AssembledModel.image("small"), strength: 0.7)
    try Self.expectGolden(
      try await model.draw(try model.request(), from: input), "image.\(scheduler)")
  }

  @Test(arguments: ["ddim", "euler", "dpm++2m", "heun", "unipc", "euler-ancestral"])
  func inpaintingWithoutChannels(_ scheduler: String) async throws {
    let model = try AssembledModel.plain(scheduler)
    let mask = PaintMask(try AssembledModel.image("small-mask"), keepsOriginal: false)
    var input = PictureInput(try AssembledModel.image("small"), strength: 0.7, mask: mask)
    try Self.expectGolden(
      try await model.draw(try model.request(), from: input), "held.\(scheduler)")
    guard scheduler == "ddim" else { return }
    input.strength = 1
    try Self.expectGolden(
      try await model.draw(try model.request(), from: input), "held.ddim.full")
  }

  @Test(arguments: ["ddim", "euler", "dpm++2m"])
  func inpaintingWithChannels(_ scheduler: String) async throws {
    let model = try AssembledModel.inpainting(scheduler)
    let mask = PaintMask(try AssembledModel.image("small-mask"), keepsOriginal: false)
    var input = PictureInput(try AssembledModel.image("small"), strength: 1, mask: mask)
    try Self.expectGolden(
      try await model.draw(try model.request(), from: input), "inpainting.\(scheduler)")
    guard scheduler == "ddim" else { return }
    input.strength = 0.7
    try Self.expectGolden(
      try await model.draw(try model.request(), from: input), "inpainting.ddim.part")
  }

  /// The masked area with 6 pixels around it is cut out, enlarged, painted and put back. A soft mask's edge goes through
  /// Pillow's premultiplied bytes in the reference, which costs it one more.
  @Test(arguments: [("mask", "area", 1), ("soft", "area.soft", 2)])
  func theMaskedAreaAlone(_ mask: String, _ name: String, _ most: Int) async throws {
    let model = try AssembledModel.plain("ddim")
    let input = PictureInput(
      try AssembledModel.image("picture"), strength: 0.7,
      mask: PaintMask(try AssembledModel.image(mask), areaPadding: 6))
    let found = try await model.draw(try model.request(width: 32, height: 32), from: input)
    try Self.expectGolden(found, name, within: most)
  }

  @Test func upscaling() async throws {
    let model = try AssembledModel.upscaler()
    let found = try await model.draw(
      try model.request(), from: PictureInput(try AssembledModel.image("tiny")))
    try Self.expectGolden(found, "upscaler")
  }

  @Test func whatTheMaskLeavesIsTheOriginal() async throws {
    let model = try AssembledModel.plain("ddim")
    let (picture, mask) = (
      try AssembledModel.image("small"), try AssembledModel.image("small-mask")
    )
    let found = try await model.draw(
      try model.request(count: 1), from: PictureInput(picture, mask: PaintMask(mask)))[0]
    var painted = 0
    for index in mask.samples.indices {
      let (x, y) = (index % mask.width, index / mask.width)
      if mask.samples[index] == 0 {
        #expect(found[x, y] == picture[x, y])
      } else if found[x, y] != picture[x, y] {
        painted += 1
      }
    }
    #expect(painted > mask.samples.filter { $0 > 0 }.count * 9 / 10)
  }

  @Test func refusesWhatItCannotDo() async throws {
    let picture = try AssembledModel.image("small")
    let black = Image(width: 8, height: 8, filledWith: [0])
    let plain = try AssembledModel.plain("ddim")
    let inpainting = try AssembledModel.inpainting("ddim")
    let upscaler = try AssembledModel.upscaler()
    let cases: [(AssembledModel, PictureInput?, String)] = [
      (
        plain, PictureInput(picture, strength: 0),
        "strength: expected a number above 0 to 1, found 0.0"
      ),
      (
        plain, PictureInput(picture, strength: 0.1),
        "strength: 0.1 of 6 steps is less than one; ask for more of either"
      ),
      (
        plain, PictureInput(picture, mask: PaintMask(black)),
        "mask: nothing in it is white, so nothing would be painted"
      ),
      (inpainting, nil, "mask: the model paints into pictures, so it takes one with a mask"),
      (upscaler, nil, "init-image: the model enlarges pictures, so it takes one"),
      (
        upscaler, PictureInput(picture, noiseLevel: 1000),
        "noise-level: expected 0 to 999, found 1000"
      ),
    ]
    for (model, input, message) in cases {
      let request = try model.request()
      let error = #expect(throws: PipelineError.self) {
        try LatentPipeline(model: model.model).generate(request, from: input)
      }
      #expect(error?.description == message)
    }
  }
}

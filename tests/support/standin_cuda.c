/* A CUDA driver and a video decoder without a GPU, for tests: "device" memory is memory of the host.
 *
 * GStreamer's nvcodec plugin and libgstcuda load this in place of libcuda.so.1 and libnvcuvid.so.1, so that real CUDA
 * frames go through a pipeline: the plugin's own decoders, pools, contexts and memories, with pictures made here.
 * Functions and structures are laid out as NVIDIA's documentation of the driver and Video Codec SDK gives them, as far as
 * they are used.
 *
 * Pictures: luma is the number of the picture in display order (modulo 200) + 16, chroma 128.
 * STANDIN_CUDA=WIDTHxHEIGHTxBITS says what every stream holds.
 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <stdint.h>

typedef uintptr_t Pointer;
typedef int Result;
#define BOTH(name) __attribute__ ((alias (#name)))

/* Contexts: numbers, a stack for each thread. */
static __thread void *stack[64];
static __thread int depth;
static int primary = 1, contexts;

Result cuInit (unsigned flags) { return 0; }
Result cuDriverGetVersion (int *version) { *version = 12000; return 0; }
Result cuDeviceGet (int *device, int ordinal) { *device = ordinal; return ordinal == 0 ? 0 : 101; }
Result cuDeviceGetCount (int *count) { *count = 1; return 0; }
Result cuDeviceGetName (char *name, int size, int device) { snprintf (name, size, "stand-in"); return 0; }
Result cuDeviceGetAttribute (int *value, int attribute, int device) { *value = 512; return 0; }
Result cuDeviceCanAccessPeer (int *can, int one, int two) { *can = 0; return 0; }
Result cuDevicePrimaryCtxRetain (void **context, int device) { *context = &primary; return 0; }
Result cuGetErrorName (Result error, const char **text) { *text = "error"; return 0; }
Result cuGetErrorString (Result error, const char **text) { *text = "an error of the stand-in"; return 0; }
Result cuCtxPushCurrent_v2 (void *context) { if (!context) return 201; stack[depth++] = context; return 0; }
Result cuCtxPopCurrent_v2 (void **context) {
  if (depth < 1) return 201;
  depth--;
  if (context) *context = stack[depth];
  return 0;
}
Result cuCtxCreate_v2 (void **context, unsigned flags, int device) {
  contexts++;
  *context = malloc (1);
  return cuCtxPushCurrent_v2 (*context);
}
Result cuCtxDestroy_v2 (void *context) { contexts--; free (context); return 0; }
int standin_contexts (void) { return contexts; }
void *standin_primary (void) { return &primary; }

/* Memory. Whoever calls must be in a context. */
#define IN_CONTEXT if (depth < 1) return 201
static int allocations, transfers;

Result cuMemAlloc_v2 (Pointer *at, size_t size) { IN_CONTEXT; *at = (Pointer) malloc (size); return 0; }
Result cuMemAllocPitch_v2 (Pointer *at, size_t *pitch, size_t width, size_t height, unsigned element) {
  IN_CONTEXT;
  __atomic_add_fetch (&allocations, 1, __ATOMIC_SEQ_CST);
  *pitch = (width + 511) / 512 * 512;
  *at = (Pointer) calloc (height, *pitch);
  return 0;
}
Result cuMemAllocHost_v2 (void **at, size_t size) { IN_CONTEXT; *at = malloc (size); return 0; }
Result cuMemFree_v2 (Pointer at) { IN_CONTEXT; free ((void *) at); return 0; }
Result cuMemFreeHost (void *at) { IN_CONTEXT; free (at); return 0; }
int standin_allocations (void) { return allocations; }
int standin_transfers (void) { return transfers; }

typedef struct {
  size_t from_x, from_y; unsigned from_type; const void *from_host; Pointer from_device; void *from_array; size_t from_pitch;
  size_t to_x, to_y; unsigned to_type; void *to_host; Pointer to_device; void *to_array; size_t to_pitch;
  size_t width, height;
} Copy;
enum { HOST = 1, DEVICE = 2 };

Result cuMemcpy2D_v2 (const Copy *copy) {
  IN_CONTEXT;
  const char *from = copy->from_type == HOST ? copy->from_host : (const char *) copy->from_device;
  char *to = copy->to_type == HOST ? copy->to_host : (char *) copy->to_device;
  if (copy->from_type != copy->to_type) __atomic_add_fetch (&transfers, 1, __ATOMIC_SEQ_CST);
  for (size_t row = 0; row < copy->height; row++)
    memcpy (to + (copy->to_y + row) * copy->to_pitch + copy->to_x,
        from + (copy->from_y + row) * copy->from_pitch + copy->from_x, copy->width);
  return 0;
}
Result cuMemcpy2DAsync_v2 (const Copy *copy, void *stream) { return cuMemcpy2D_v2 (copy); }
Result cuStreamCreate (void **stream, unsigned flags) { IN_CONTEXT; *stream = &primary; return 0; }
Result cuStreamDestroy_v2 (void *stream) { return 0; }
Result cuStreamSynchronize (void *stream) { return 0; }

/* What is loaded and never called here. */
#define UNUSED(name) Result name (void) { return 801; }
UNUSED (cuCtxEnablePeerAccess) UNUSED (cuCtxDisablePeerAccess) UNUSED (cuGraphicsMapResources)
UNUSED (cuGraphicsUnmapResources) UNUSED (cuGraphicsResourceSetMapFlags) UNUSED (cuGraphicsResourceSetMapFlags_v2)
UNUSED (cuGraphicsSubResourceGetMappedArray) UNUSED (cuGraphicsResourceGetMappedPointer)
UNUSED (cuGraphicsResourceGetMappedPointer_v2) UNUSED (cuGraphicsUnregisterResource) UNUSED (cuModuleLoadData)
UNUSED (cuModuleUnload) UNUSED (cuModuleGetFunction) UNUSED (cuTexObjectCreate) UNUSED (cuTexObjectDestroy)
UNUSED (cuLaunchKernel) UNUSED (cuGraphicsGLRegisterImage) UNUSED (cuGraphicsGLRegisterBuffer)
UNUSED (cuGLGetDevices) UNUSED (cuGLGetDevices_v2)
UNUSED (cuvidCtxLockCreate) UNUSED (cuvidCtxLockDestroy) UNUSED (cuvidCtxLock) UNUSED (cuvidCtxUnlock)

Result cuCtxCreate (void **c, unsigned f, int d) BOTH (cuCtxCreate_v2);
Result cuCtxDestroy (void *c) BOTH (cuCtxDestroy_v2);
Result cuCtxPushCurrent (void *c) BOTH (cuCtxPushCurrent_v2);
Result cuCtxPopCurrent (void **c) BOTH (cuCtxPopCurrent_v2);
Result cuMemAlloc (Pointer *a, size_t s) BOTH (cuMemAlloc_v2);
Result cuMemAllocPitch (Pointer *a, size_t *p, size_t w, size_t h, unsigned e) BOTH (cuMemAllocPitch_v2);
Result cuMemAllocHost (void **a, size_t s) BOTH (cuMemAllocHost_v2);
Result cuMemFree (Pointer a) BOTH (cuMemFree_v2);
Result cuMemcpy2D (const Copy *c) BOTH (cuMemcpy2D_v2);
Result cuMemcpy2DAsync (const Copy *c, void *s) BOTH (cuMemcpy2DAsync_v2);
Result cuStreamDestroy (void *s) BOTH (cuStreamDestroy_v2);

/* The decoder: one picture for each packet. */
typedef struct {
  int codec; unsigned numerator, denominator;
  unsigned char progressive, luma_bits_over_8, chroma_bits_over_8, surfaces;
  unsigned coded_width, coded_height;
  int left, top, right, bottom;
  int chroma_format; unsigned bitrate; int aspect_x, aspect_y;
  unsigned char video_format, primaries, transfer, matrix;
  unsigned more;
} Format;
typedef struct { int in_x, in_y, index, rest[1400]; } Picture;
typedef struct { int index, progressive, top_first, repeat; long long timestamp; } Display;
typedef struct { unsigned long flags, size; const unsigned char *data; long long timestamp; } Packet;
typedef struct {
  int codec; unsigned surfaces, clock, threshold, delay, bits, reserved[4];
  void *user;
  int (*sequence) (void *, Format *);
  int (*decode) (void *, Picture *);
  int (*display) (void *, Display *);
} ParserParameters;
typedef struct { ParserParameters parameters; int pictures; } Parser;
typedef struct { int codec, chroma; unsigned bits_over_8, r[3]; unsigned char supported, decoders; unsigned short formats;
  unsigned max_width, max_height, max_blocks; unsigned short min_width, min_height; } DecoderCaps;
enum { SURFACES = 8, H264 = 4, H265 = 8 };
typedef struct { int values[SURFACES]; } Decoder;
static __thread int next_value;

static void stated (int *width, int *height, int *bits) {
  const char *text = getenv ("STANDIN_CUDA");
  if (!text || sscanf (text, "%dx%dx%d", width, height, bits) != 3) { *width = 64; *height = 48; *bits = 8; }
}
Result cuvidGetDecoderCaps (DecoderCaps *caps) {
  caps->supported = (caps->codec == H264 || caps->codec == H265) && caps->chroma == 1 && caps->bits_over_8 <= 2;
  caps->max_width = caps->max_height = 4096;
  caps->min_width = caps->min_height = 16;
  caps->formats = 3;
  return 0;
}
Result cuvidCreateDecoder (void **decoder, void *parameters) { IN_CONTEXT; *decoder = calloc (1, sizeof (Decoder)); return 0; }
Result cuvidDestroyDecoder (void *decoder) { free (decoder); return 0; }
Result cuvidDecodePicture (Decoder *decoder, Picture *picture) {
  decoder->values[picture->index] = next_value;
  return 0;
}
Result cuvidCreateVideoParser (void **parser, const ParserParameters *parameters) {
  Parser *made = calloc (1, sizeof (Parser));
  made->parameters = *parameters;
  *parser = made;
  return 0;
}
Result cuvidDestroyVideoParser (void *parser) { free (parser); return 0; }
Result cuvidParseVideoData (Parser *parser, const Packet *packet) {
  ParserParameters *to = &parser->parameters;
  int width, height, bits;
  if (!packet->size) return 0;
  stated (&width, &height, &bits);
  if (!parser->pictures) {
    Format format = { to->codec, 30, 1, 1, bits - 8, bits - 8, SURFACES, (width + 15) / 16 * 16, (height + 15) / 16 * 16,
      0, 0, width, height, 1, 0, 1, 1, 0, 1, 1, 1, 0 };
    if (!to->sequence (to->user, &format)) return 1;
  }
  Picture picture = { 0 };
  picture.index = parser->pictures % SURFACES;
  next_value = 16 + parser->pictures % 200;
  Display display = { picture.index, 1, 0, 0, packet->timestamp };
  parser->pictures++;
  return !(to->decode (to->user, &picture) && to->display (to->user, &display));
}
Result cuvidMapVideoFrame64 (Decoder *decoder, int index, Pointer *at, unsigned *pitch, void *parameters) {
  int width, height, bits;
  stated (&width, &height, &bits);
  *pitch = width * (bits > 8 ? 2 : 1);
  char *memory = malloc (*pitch * (height + (height + 1) / 2));
  memset (memory, decoder->values[index], *pitch * height);
  memset (memory + *pitch * height, 128, *pitch * ((height + 1) / 2));
  *at = (Pointer) memory;
  return 0;
}
Result cuvidUnmapVideoFrame64 (Decoder *decoder, Pointer at) { free ((void *) at); return 0; }
Result cuvidMapVideoFrame (Decoder *d, int i, Pointer *a, unsigned *p, void *v) BOTH (cuvidMapVideoFrame64);
Result cuvidUnmapVideoFrame (Decoder *d, Pointer a) BOTH (cuvidUnmapVideoFrame64);

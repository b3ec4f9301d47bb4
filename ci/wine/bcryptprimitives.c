/*
 * Rust's standard library takes its random numbers from ProcessPrng in bcryptprimitives.dll, as Windows 10 and later have
 * it. Wine before 9 has no such DLL, and a program that imports it ends with code 53 before its first line. This one is put
 * into the Wine prefix of ci/windows where Wine brings none; no Windows ever sees it.
 */
#include <windows.h>
#include <ntsecapi.h>

#define MOST_AT_ONCE 0x10000000

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count)
{
    while (count > 0) {
        ULONG now = count > MOST_AT_ONCE ? MOST_AT_ONCE : (ULONG)count;
        if (!RtlGenRandom(bytes, now))
            return FALSE;
        bytes += now;
        count -= now;
    }
    return TRUE;
}
